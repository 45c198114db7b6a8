"use strict";
(function () {
  var root = document.documentElement, theme = document.getElementById("theme"), form = document.getElementById("filters");
  theme.hidden = false;
  theme.addEventListener("click", function () {
    var now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
  root.dataset.ready = "1";
  if (!form) return;
  form.hidden = false;
  var rows = Array.prototype.slice.call(document.querySelectorAll("article.row"));
  var facets = rows.map(function (row) { return JSON.parse(row.dataset.facets); });
  var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
  var fields = Array.prototype.slice.call(form.querySelectorAll("select"));
  var search = form.elements.namedItem("~"), count = document.getElementById("count"), boxes = document.getElementById("boxes");
  function apply() {
    var wanted = fields.filter(function (field) { return field.value; }), word = search.value.trim().toLowerCase(), shown = 0;
    rows.forEach(function (row, number) {
      var fits = wanted.every(function (field) { return (facets[number][field.name] || []).indexOf(field.value) >= 0; });
      row.hidden = !fits || (word !== "" && texts[number].indexOf(word) < 0);
      if (!row.hidden) shown += 1;
    });
    count.textContent = shown + " / " + rows.length;
    var state = new URLSearchParams();
    wanted.forEach(function (field) { state.set(field.name, field.value); });
    if (word) state.set("~", search.value);
    try { history.replaceState(null, "", state.toString() ? "#" + state : location.pathname + location.search); } catch (error) { count.title = String(error); }
  }
  function take(state) {
    fields.forEach(function (field) {
      var value = state.get(field.name) || "", there = Array.prototype.some.call(field.options, function (option) { return option.value === value; });
      field.value = there ? value : "";
    });
    search.value = state.get("~") || "";
    apply();
  }
  form.addEventListener("input", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply); });
  if (boxes) boxes.addEventListener("change", function () { document.body.classList.toggle("noboxes", !boxes.checked); });
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-filter]");
    if (!link) return;
    event.preventDefault();
    take(new URLSearchParams(JSON.parse(link.dataset.filter)));
    document.getElementById("rows").scrollIntoView();
  });
  function mark(event) {
    var line = event.target.closest("[data-box]");
    Array.prototype.forEach.call(document.querySelectorAll(".marked"), function (old) { old.classList.remove("marked"); });
    if (!line) return;
    line.classList.add("marked");
    var other = line.closest("figure").querySelectorAll('[data-box="' + line.dataset.box + '"]');
    Array.prototype.forEach.call(other, function (one) { one.classList.add("marked"); });
  }
  function pick(event) {
    var line = event.target.closest("[data-box]");
    if (!line) return;
    var figure = line.closest("figure"), same = figure.querySelectorAll('[data-box="' + line.dataset.box + '"]');
    Array.prototype.forEach.call(document.querySelectorAll(".picked"), function (old) { old.classList.remove("picked"); });
    Array.prototype.forEach.call(same, function (one) { one.classList.add("picked"); });
    var item = figure.querySelector('li[data-box="' + line.dataset.box + '"]');
    if (line === item || !item) return;
    item.closest("details").open = true;
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("click", pick);
  document.addEventListener("mouseover", mark);
  document.addEventListener("focusin", mark);
  document.addEventListener("keydown", function (event) {
    if (/INPUT|SELECT|TEXTAREA|SUMMARY|BUTTON/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    var shown = rows.filter(function (row) { return !row.hidden; }), here = shown.indexOf(document.activeElement && document.activeElement.closest("article.row"));
    if (event.key === "j" && shown[here + 1]) shown[here + 1].focus();
    if (event.key === "k" && shown[here - 1]) shown[here - 1].focus();
    if (event.key === " " && here >= 0) { event.preventDefault(); shown[here].classList.toggle("flipped"); }
  });
  if (location.hash.indexOf("=") > 0) take(new URLSearchParams(location.hash.slice(1))); else apply();
})();
