// A table saved as CSV: UTF-8 with its mark, and nothing in it that a spreadsheet would take for a formula.
const safe = (text: string): string => (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text);
const cell = (text: string): string => `"${safe(text).replaceAll('"', '""')}"`;

export function save(name: string, rows: string[][]): void {
  const text = rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
