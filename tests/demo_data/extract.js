// Every visible line of text with its box in device pixels: one record for each visual line of a text node.
// Text that is clipped, covered by something else or below the screen is left out, because nobody can read it.
(() => {
  const scale = devicePixelRatio;
  const graphemes = new Intl.Segmenter("zh", { granularity: "grapheme" });
  const range = document.createRange();

  const clipOf = (element) => {
    for (let e = element; e; e = e.parentElement)
      if (getComputedStyle(e).overflowY === "hidden") return e.getBoundingClientRect();
    return null;
  };
  const visibleAt = (element, x, y) => {
    const top = document.elementFromPoint(x, y);
    return !top || top === element || element.contains(top) || top.contains(element);
  };
  const seen = (element, clip, box) => {
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    if (x < 0 || x >= innerWidth || box.y < 0 || box.bottom > innerHeight + 3) return false;
    if (clip && (y > clip.bottom || y < clip.top || x > clip.right || x < clip.left)) return false;
    return [0.25, 0.5, 0.75].every((share) => visibleAt(element, x, box.y + box.height * share));
  };
  const boxOf = (node, start, end) => {
    range.setStart(node, start);
    range.setEnd(node, end);
    return [...range.getClientRects()].find((r) => r.width > 0 && r.height > 0);
  };
  const linesOf = (node) => {
    const element = node.parentElement, clip = clipOf(element), lines = [];
    let line = null;
    for (const g of graphemes.segment(node.nodeValue)) {
      const box = boxOf(node, g.index, g.index + g.segment.length);
      if (!box) continue;
      if (!seen(element, clip, box)) { line = null; continue; }
      if (!line || Math.abs(line.y - box.y) > 2) lines.push((line = { y: box.y, text: "", boxes: [] }));
      line.text += g.segment;
      if (g.segment.trim()) line.boxes.push(box);
    }
    return lines.filter((l) => l.text.trim());
  };
  const record = (line, chrome) => ({
    text: line.text.trim().replace(/\s+/g, " "),
    box: [
      Math.floor(Math.min(...line.boxes.map((b) => b.left)) * scale),
      Math.floor(Math.min(...line.boxes.map((b) => b.top)) * scale),
      Math.ceil(Math.max(...line.boxes.map((b) => b.right)) * scale),
      Math.ceil(Math.max(...line.boxes.map((b) => b.bottom)) * scale),
    ],
    chrome,
  });

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), out = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (!node.nodeValue.trim() || ["STYLE", "SCRIPT"].includes(element.tagName)) continue;
    if (getComputedStyle(element).visibility === "hidden") continue;
    const chrome = Boolean(element.closest("[data-chrome]"));
    for (const line of linesOf(node)) out.push(record(line, chrome));
  }
  return out;
})();
