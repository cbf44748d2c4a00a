// Files lie in the page compressed; where the browser can, they are handed over unpacked.
function save(name, blob) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function unpacked(address) {
  const packed = Uint8Array.from(atob(address.split(",")[1]), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).blob();
}

if ("DecompressionStream" in window) {
  for (const link of document.querySelectorAll("a.packed")) {
    link.textContent = link.dataset.name;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      unpacked(link.href).then((blob) => save(link.dataset.name, blob));
    });
  }
}
