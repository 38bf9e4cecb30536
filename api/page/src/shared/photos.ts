// What the report's page has as well: the very files, which are plain scripts there.
import "../../../../nightshift/report_page/assets/rows.js";
import "../../../../nightshift/report_page/assets/zoom.js";

export interface Place { left: number; top: number; width: number; height: number; row: number }
export interface Row { top: number; from: number; to: number }
export interface Layout { places: Place[]; rows: Row[]; height: number }
export interface NormBox { x1: number; y1: number; x2: number; y2: number }

export interface Zoom {
  larger: () => void;
  smaller: () => void;
  fit: () => void;
  byKey: (key: string) => boolean;
  toFace: (box: NormBox) => void;
}

interface Shared {
  photoRows: {
    arrange: (photos: number, ratioAt: (position: number) => number, width: number) => Layout;
    frameRatio: (ratio: number) => number;
    near: (rows: Row[], above: number, windowHeight: number) => [from: number, to: number];
    rowAt: (rows: Row[], y: number) => number;
    target: (layout: Layout, key: string, position: number) => number | null;
  };
  photoZoom: (stage: HTMLElement, changed: (zoom: number, isMost: boolean) => void) => Zoom;
  photoCrop: (box: NormBox, width: number, height: number) => { width: string; height: string; left: string; top: string };
}

export const { photoRows, photoZoom, photoCrop } = globalThis as unknown as Shared;
