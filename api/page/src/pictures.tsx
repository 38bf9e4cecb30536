// A photo, small, with a box at each face.
import type { Face, Photo } from "./api";
import { count, toldOf, words } from "./words";

/** What of a photo is drawn; the overview has no more of it. */
export type Pictured = Pick<Photo, "photo_id" | "status" | "width" | "height"> & {
  faces: (Pick<Face, "index" | "box_norm"> & { gender: Pick<Face["gender"], "value" | "uncertain"> })[];
};

export const thumbnailOf = (jobId: string, photo: Pictured): string => `/v1/jobs/${jobId}/photos/${photo.photo_id}/thumbnail`;

export const facesOf = (photo: Photo): string =>
  photo.error ? (toldOf(photo.error.code)?.[0] ?? photo.error.code) : photo.faces.length ? words.job.faces(photo.faces.length, count(photo.faces.length)) : words.faces.noFace;

export function Picture({ jobId, photo, alt, marked }: { jobId: string; photo: Pictured; alt: string; marked?: number | undefined }) {
  return (
    <span class="picture" style={{ "--ratio": (photo.width ?? 1) / (photo.height ?? 1) }}>
      {photo.status === "succeeded" ? (
        <img src={thumbnailOf(jobId, photo)} alt={alt} loading="lazy" decoding="async" width={photo.width ?? undefined} height={photo.height ?? undefined} />
      ) : (
        <span class="no-picture">{alt || words.faces.noPicture}</span>
      )}
      {photo.faces.map((face) => {
        const { x1, y1, x2, y2 } = face.box_norm;
        const style = { left: `${100 * x1}%`, top: `${100 * y1}%`, width: `${100 * (x2 - x1)}%`, height: `${100 * (y2 - y1)}%` };
        const kind = `box ${face.gender.value} ${face.gender.uncertain ? "unsure" : ""} ${marked === face.index ? "marked" : ""}`;
        return <span key={face.index} class={kind} style={style} aria-hidden="true" />;
      })}
    </span>
  );
}
