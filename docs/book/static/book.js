// A formula in a line of text cannot be broken. Where it is wider than its column, as on a phone, it
// gets a line of its own, which scrolls (book.css).
function giveWideFormulasALine() {
  const formulas = [...document.querySelectorAll("span.math mjx-container")];
  formulas.forEach((formula) => formula.classList.remove("wide"));
  formulas
    .filter((formula) => formula.offsetWidth > formula.closest("p, li, td, article").clientWidth)
    .forEach((formula) => formula.classList.add("wide"));
}

window.addEventListener("load", () => {
  window.MathJax?.startup?.promise.then(giveWideFormulasALine);
});
window.addEventListener("resize", giveWideFormulasALine);
