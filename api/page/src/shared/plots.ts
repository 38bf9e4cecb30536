// The report's bars, by the very file that draws them there.
import "../../../../nightshift/report_page/assets/plots.js";

type Drawing = (tag: string, attributes: Record<string, string | number>, ...children: unknown[]) => SVGElement;
/** Label, value, the value in words, and the ends of its whisker. */
export type Bar = [label: string, value: number, text: string, low?: number, high?: number];
export type Plot = (bars: Bar[], width: number, summary: string) => SVGElement;

interface Shared {
  photoPlots: Record<"columns" | "lyingBars", (drawing: Drawing, bars: Bar[], width: number, summary: string) => SVGElement>;
}

const drawing: Drawing = (tag, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children.flat().filter((child): child is Node | string => child !== null && child !== undefined));
  return made;
};

const { photoPlots } = globalThis as unknown as Shared;
export const columns: Plot = (...of) => photoPlots.columns(drawing, ...of);
export const lyingBars: Plot = (...of) => photoPlots.lyingBars(drawing, ...of);
