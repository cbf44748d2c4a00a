// What all figures of rows share: hidden levels, chosen rows, the row under the pointer.
const linked = {
  hidden: new Set(), chosen: null, listeners: [], pointers: [],
  tell() { for (const listener of this.listeners) listener(); },
  point(row) { for (const pointer of this.pointers) pointer(row); },
  hide(level, isHidden) {
    if (isHidden) this.hidden.add(level); else this.hidden.delete(level);
    this.tell();
  },
  choose(rows) {
    this.chosen = rows && rows.size ? rows : null;
    this.tell();
  },
};
