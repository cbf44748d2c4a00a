// Each drawing gives way to its figure; one that fails stays a drawing.
const KINDS = { intervals, embeddings, reconstruction, history };
for (const figure of document.querySelectorAll("figure.chart")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const host = figure.querySelector(".live");
  figure.classList.add("is-live");
  try {
    KINDS[figure.dataset.kind](host, data);
  } catch (problem) {
    figure.classList.remove("is-live");
    host.replaceChildren();
    console.error(problem);
  }
}
root.dataset.ready = "yes";
