// A photo with a box at each face.
import type { Face, Photo } from "./api";
import { count, toldOf, words } from "./words";

/** What of a photo is drawn; the overview has no more of it. */
export type Pictured = Pick<Photo, "photo_id" | "status" | "width" | "height"> & {
  faces: (Pick<Face, "index" | "box_norm"> & { gender: Pick<Face["gender"], "value" | "uncertain"> })[];
};

export const thumbnailOf = (jobId: string, photo: Pictured): string => `/v1/jobs/${jobId}/photos/${photo.photo_id}/thumbnail`;

/** The photo itself at the size of a screen, while the service can read it. */
export const imageOf = (jobId: string, photo: Photo): string => `/v1/jobs/${jobId}/photos/${photo.photo_id}/image`;

export const facesOf = (photo: Photo): string => {
  if (photo.error) return toldOf(photo.error.code)?.[0] ?? photo.error.code;
  if (photo.status !== "succeeded") return words.faces.notYet;
  return photo.faces.length ? words.job.faces(photo.faces.length, count(photo.faces.length)) : words.faces.noFace;
};

interface Shown {
  jobId: string;
  photo: Pictured;
  alt: string;
  /** The face that is pointed at. */
  marked?: number | undefined;
  /** Of what holds it, where it fills that. */
  size?: { width: string; height: string };
}

export function Picture({ jobId, photo, alt, marked, size }: Shown) {
  return (
    <span class="picture" style={{ "--ratio": (photo.width ?? 1) / (photo.height ?? 1), ...size }}>
      {photo.status === "succeeded" ? (
        <img key={photo.photo_id} src={thumbnailOf(jobId, photo)} alt={alt} loading="lazy" decoding="async" width={photo.width ?? undefined} height={photo.height ?? undefined} />
      ) : (
        <span class="no-picture">{alt || words.faces.noPicture}</span>
      )}
      <Boxes photo={photo} marked={marked} />
    </span>
  );
}

/** A box at each face, dashed where the gender is uncertain; with `numbers`, its number. */
export function Boxes({ photo, marked, numbers }: { photo: Pick<Pictured, "faces">; marked?: number | undefined; numbers?: boolean }) {
  return (
    <>
      {photo.faces.map((face) => {
        const { x1, y1, x2, y2 } = face.box_norm;
        const style = { left: `${100 * x1}%`, top: `${100 * y1}%`, width: `${100 * (x2 - x1)}%`, height: `${100 * (y2 - y1)}%` };
        const kind = `box ${face.gender.value} ${face.gender.uncertain ? "unsure" : ""} ${marked === face.index ? "marked" : ""}`;
        return <span key={face.index} class={kind} style={style} aria-hidden="true">{numbers && <span class="tag">{face.index + 1}</span>}</span>;
      })}
    </>
  );
}
