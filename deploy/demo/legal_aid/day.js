// The day whose law is asked for is an attribute of the widget; a new one holds from the next question on.
const widget = document.querySelector("rag-ask");
document.querySelector("#day").addEventListener("change", ({ target }) => widget.setAttribute("as-of", target.value || "today"));
