/** What somebody writes who wants a page to run it. Each would set `pwned`, or leave an element behind that nobody made. */
export const CORPUS: readonly string[] = [
  `<img src=x onerror="window.pwned=1">`,
  `"><svg onload=window.pwned=2><b data-pwned>`,
  `</script><script>window.pwned=3</script>`,
  `<iframe srcdoc="<script>parent.pwned=4</script>"></iframe>`,
  `javascript:window.pwned=5`,
  `<a href="javascript:window.pwned=6" data-pwned>here</a>`,
  `{{constructor.constructor('window.pwned=7')()}}`,
  `<style data-pwned>*{display:none}</style><math><mi//xlink:href="data:x,<script>pwned=8</script>">`,
];

/** All of it in one text. */
export const ALL = CORPUS.join(" ");

/** Finds what the corpus would leave in a document; empty where it is text. */
export const TRACES = `[
  typeof window.pwned === "undefined" ? "" : "ran: " + window.pwned,
  ...Array.from(document.querySelectorAll('[data-pwned], img[src="x"], iframe, math, script:not([src]), [onload], [onerror]'), (one) => one.outerHTML),
  ...Array.from(document.querySelectorAll("a[href]"), (one) => one.protocol === "javascript:" ? one.outerHTML : ""),
].filter((one) => one !== "")`;
