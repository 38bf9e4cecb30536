// One photo, as large as it can be had, with all that was found in it; drawn as the report's viewer is.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Face, Photo } from "./api";
import { Boxes, facesOf, imageOf, thumbnailOf } from "./pictures";
import { photoCrop, photoZoom, type Zoom } from "./shared/photos";
import { count, share, words } from "./words";

const ICONS = { previous: "m15 5-7 7 7 7", next: "m9 5 7 7-7 7", close: "m6 6 12 12M18 6 6 18" };

function Icon({ of }: { of: keyof typeof ICONS }) {
  return <svg viewBox="0 0 24 24" aria-hidden="true"><path d={ICONS[of]} /></svg>;
}

function Doubt({ of }: { of: Face["gender"] | Face["age_group"] }) {
  if (!of.uncertain) return null;
  const why = of.uncertain_because.map((reason) => (words.doubts as Record<string, string>)[reason] ?? reason);
  return <span class="doubt">{[words.faces.uncertain, why.join(", ")].filter(Boolean).join(": ")}</span>;
}

/** Of the photo's width. */
const LEAST_POINTED = 0.05;

/** The detector's five points, where the whole photo is seen. */
function Points({ photo }: { photo: Photo }) {
  const { width, height } = photo;
  if (!width || !height) return null;
  // On a small face they would be all that is seen of it.
  const large = photo.faces.filter(({ box_norm: { x1, x2 } }) => x2 - x1 > LEAST_POINTED);
  const points = large.flatMap(({ landmarks }) => Object.values(landmarks));
  return (
    <span class="points" aria-hidden="true">
      {points.map(({ x, y }, index) => <i key={index} style={{ left: `${(100 * x) / width}%`, top: `${(100 * y) / height}%` }} />)}
    </span>
  );
}

function Ages({ face }: { face: Face }) {
  const ages = Object.entries(face.age_group.probabilities);
  const most = Math.max(0.01, ...ages.map(([, part]) => part));
  return (
    <ul class="ages" aria-label={words.faces.agesEach}>
      {ages.map(([label, part]) => (
        <li key={label} class={label === face.age_group.label ? "chosen" : ""}>
          <span class="age-column" aria-hidden="true"><span class="age-bar" style={{ height: `${Math.max(3, (100 * part) / most)}%` }} /></span>
          <span class="age-label">{label.replace("-", "–")}</span>
          <span class="unseen">: {share(part)}</span>
        </li>
      ))}
    </ul>
  );
}

function Finding({ photo, face, src, point, near }: { photo: Photo; face: Face; src: string | undefined; point: (index?: number) => void; near: () => void }) {
  const said = words.faces;
  const { gender, age_group: age, age_range: range } = face;
  const female = gender.probabilities.female ?? (gender.value === "female" ? gender.probability : 1 - gender.probability);
  const remarks = [
    age.uncertain ? said.probably(`${range.low}–${range.high ?? "…"}`) : "",
    face.age_years == null ? "" : said.years(Math.round(face.age_years)),
    face.aligned ? said.turned(Math.abs(Math.round(face.roll_deg))) : "",
    `${said.sure} ${share(face.confidence)}`,
  ];
  return (
    <li class={gender.value} onMouseEnter={() => point(face.index)} onMouseLeave={() => point()}>
      <button type="button" class="crop" aria-label={said.larger(face.index + 1)} onClick={near}>
        {src && <img src={src} alt="" decoding="async" style={photoCrop(face.box_norm, photo.width ?? 1, photo.height ?? 1)} />}
        <span class="face-number">{face.index + 1}</span>
      </button>
      <div>
        <h3 class="unseen">{said.face(face.index + 1)}</h3>
        <p class="verdict">{gender.value === "female" ? said.female : said.male} {share(gender.probability)} <Doubt of={gender} /></p>
        <div class="balance" aria-hidden="true"><span class="female" style={{ width: `${100 * female}%` }} /><span class="male" style={{ width: `${100 * (1 - female)}%` }} /></div>
        <p class="verdict">{age.label.replace("-", "–")} {share(age.probability)} <Doubt of={age} /></p>
        <Ages face={face} />
        <p class="remark">{remarks.filter(Boolean).join(" · ")}</p>
      </div>
    </li>
  );
}

export interface Viewed {
  jobId: string;
  /** Undefined while its page is on its way. */
  photo: Photo | undefined;
  /** Those before and after it; they are fetched before somebody goes on. */
  beside: (Photo | undefined)[];
  position: number;
  total: number;
  go: (by: number) => void;
  close: () => void;
}

/** The arrow keys go to its neighbours, + - 0 change its size, Escape closes it. */
export function Viewer({ jobId, photo, beside, position, total, go, close }: Viewed) {
  const dialog = useRef<HTMLDialogElement>(null);
  const head = useRef<HTMLHeadingElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const zoom = useRef<Zoom>(null);
  const [size, setSize] = useState({ zoom: 1, isMost: false });
  const [bare, setBare] = useState(false);
  const [marked, setMarked] = useState<number>();
  /** The photo that is there itself, and no longer its preview. */
  const [sharp, setSharp] = useState<string>();
  const said = words.faces;
  useEffect(() => {
    dialog.current?.showModal();
    head.current?.focus();
    zoom.current = photoZoom(stage.current!, (now, isMost) => setSize({ zoom: now, isMost }));
  }, []);
  useEffect(() => {
    zoom.current?.fit();
    setMarked(undefined);
  }, [photo?.photo_id]);
  useEffect(() => {
    for (const other of beside) if (other?.status === "succeeded") new Image().src = thumbnailOf(jobId, other);
  }, [position, ...beside.map((other) => other?.photo_id)]);

  const isShown = photo?.status === "succeeded";
  const src = photo && isShown ? thumbnailOf(jobId, photo) : undefined;
  const whole = photo && isShown ? imageOf(jobId, photo) : undefined;
  const ratio = photo?.width && photo.height ? photo.width / photo.height : 4 / 3;
  const about = photo && [
    photo.width && photo.height ? `${photo.width} × ${photo.height}` : "",
    facesOf(photo), photo.taken_at?.slice(0, 19).replace("T", " "), [photo.camera_make, photo.camera_model].filter(Boolean).join(" "),
    photo.reused ? said.reused : "",
  ].filter(Boolean).join(" · ");
  return (
    <dialog
      ref={dialog}
      class="viewer"
      aria-labelledby="viewed"
      aria-busy={photo ? undefined : "true"}
      onClose={close}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      onKeyDown={(event) => {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key === "ArrowRight") go(1);
        else if (event.key === "ArrowLeft") go(-1);
        else if (!zoom.current?.byKey(event.key)) return;
        event.preventDefault();
      }}
    >
      <div class="viewer-head">
        <div>
          <h2 id="viewed" tabIndex={-1} ref={head}><bdi>{photo?.custom_id ?? words.loading}</bdi></h2>
          <p>{about}</p>
        </div>
        <div class="viewer-buttons">
          <button type="button" aria-label={said.previous} disabled={position === 0} onClick={() => go(-1)}><Icon of="previous" /></button>
          <p role="status">{said.place(count(position + 1), count(total))}</p>
          <button type="button" aria-label={said.next} disabled={position >= total - 1} onClick={() => go(1)}><Icon of="next" /></button>
          <button type="button" aria-label={said.close} onClick={() => dialog.current?.close()}><Icon of="close" /></button>
        </div>
      </div>
      <div class="viewer-body">
        <div class="viewer-picture">
          <div class={`viewer-stage ${bare ? "bare" : ""}`} ref={stage} tabIndex={0} role="region" aria-label={said.photo} style={{ "--ratio": ratio, "--most": "100000px" }}>
            {photo && (src ? (
              <span class="picture" key={photo.photo_id}>
                <img src={src} alt={facesOf(photo)} />
                {/* Over its preview once it is there; where the photo is gone, or too many are drawn, that stays. */}
                <img class="whole" src={whole} alt="" hidden={sharp !== photo.photo_id} onLoad={() => setSharp(photo.photo_id)} />
                <Boxes photo={photo} marked={marked} numbers />
                <Points photo={photo} />
              </span>
            ) : <span class="no-picture">{facesOf(photo)}</span>)}
          </div>
          <div class="zoom" role="group" aria-label={said.zoom}>
            <button type="button" aria-label={said.smaller} disabled={size.zoom === 1} onClick={() => zoom.current?.smaller()}>−</button>
            <button type="button" onClick={() => zoom.current?.fit()}>{size.zoom === 1 ? said.fit : share(size.zoom)}</button>
            <button type="button" aria-label={said.nearer} disabled={size.isMost} onClick={() => zoom.current?.larger()}>+</button>
            <button type="button" aria-pressed={!bare} onClick={() => setBare(!bare)}>{said.boxes}</button>
          </div>
        </div>
        <div class="viewer-faces" tabIndex={0} role="region" aria-label={said.found}>
          {photo?.error && <p class="bad"><bdi>{photo.error.message}</bdi></p>}
          {isShown && photo.faces.length === 0 && <p class="remark">{said.noFace}</p>}
          {photo?.warnings.map((warning) => <p key={warning} class="remark">{warning}</p>)}
          <ol class="faces">
            {photo?.faces.map((face) => (
              <Finding key={face.index} photo={photo} face={face} src={sharp === photo.photo_id ? whole : src} point={setMarked} near={() => zoom.current?.toFace(face.box_norm)} />
            ))}
          </ol>
        </div>
      </div>
    </dialog>
  );
}
