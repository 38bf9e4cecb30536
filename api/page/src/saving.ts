// A table saved as CSV: UTF-8 with its mark, and nothing in it that a spreadsheet would take for a formula.
const safe = (text: string): string => (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text);
const cell = (text: string): string => `"${safe(text).replaceAll('"', '""')}"`;

export function save(name: string, rows: string[][]): void {
  const text = rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
  download(name, new Blob(["\ufeff", text], { type: "text/csv" }));
}

function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What the page's style says of a drawing; a picture of it is made where that style is not. */
const STYLED = ["fill", "fill-opacity", "stroke", "font-family", "font-size", "font-weight"];
const SCALE = 2;
const MARGIN = 16;

/** A drawing saved as PNG, with its title, as it looks on the page now. */
export async function savePicture(name: string, drawn: SVGElement, title: string): Promise<void> {
  const copy = drawn.cloneNode(true) as SVGElement;
  const [own, copied] = [[drawn, ...drawn.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
  own.forEach((element, index) => {
    const style = getComputedStyle(element);
    for (const property of STYLED) copied[index]!.setAttribute(property, style.getPropertyValue(property));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const [width, height] = ["width", "height"].map((side) => Number(drawn.getAttribute(side))) as [number, number];
  const image = new Image(width * SCALE, height * SCALE);
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  const head = 32;
  [canvas.width, canvas.height] = [(width + 2 * MARGIN) * SCALE, (height + 2 * MARGIN + head) * SCALE];
  const on = canvas.getContext("2d")!;
  const style = getComputedStyle(document.body);
  on.fillStyle = getComputedStyle(drawn.closest(".card") ?? document.body).backgroundColor;
  on.fillRect(0, 0, canvas.width, canvas.height);
  on.scale(SCALE, SCALE);
  on.fillStyle = style.color;
  on.font = `600 16px ${style.fontFamily}`;
  on.fillText(title, MARGIN, MARGIN + 14, width);
  on.drawImage(image, MARGIN, MARGIN + head, width, height);
  URL.revokeObjectURL(address);
  const made = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (made) download(name, made);
}
