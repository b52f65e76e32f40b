// Sends chosen or dropped files one after another and shows how far each has come. Without it the form posts them at once.
"use strict";

(() => {
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const list = document.getElementById("uploads");
  const template = document.getElementById("upload-template");

  const send = (file, row) => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const bar = row.querySelector("progress");
    const word = row.querySelector("[data-state]");
    request.open("POST", form.action);
    request.setRequestHeader("X-CSRFToken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
      word.textContent = bar.value >= 1 ? "reading" : `${Math.round(100 * bar.value)} %`;
    });
    const finish = () => {
      const place = document.createElement("div");
      place.innerHTML = request.responseText; // our own server's part of a page
      if (request.status && place.firstElementChild && request.status < 500) {
        row.replaceWith(...place.children);
        window.htmx?.process(list);
      } else {
        word.textContent = request.status ? `The server answered ${request.status}.` : "The connection broke. Choose the file again.";
        row.classList.add("failed");
      }
      resolve();
    };
    request.addEventListener("loadend", finish);
    const data = new FormData();
    data.append("files", file);
    request.send(data);
  });

  async function sendAll(files) {
    const rows = files.map((file) => {
      const row = template.content.firstElementChild.cloneNode(true);
      row.querySelector("[data-name]").textContent = file.name;
      list.append(row);
      return row;
    });
    for (const [at, file] of files.entries()) await send(file, rows[at]);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const files = [...input.files];
    form.reset();
    if (files.length) sendAll(files);
  });
  input.addEventListener("change", () => form.requestSubmit());
  const drop = form.querySelector(".drop");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    sendAll([...event.dataTransfer.files]);
  });
})();
