// A dialog that asks before what cannot be taken back.
import { useEffect, useRef } from "preact/hooks";
import { words } from "./words";

export interface Question {
  text: string;
  yes: string;
  act: () => void;
}

export function Sure({ question, close }: { question: Question; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="card" aria-labelledby="sure" onClose={close}>
      <p id="sure">{question.text}</p>
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>{words.job.no}</button>
        <button type="button" class="danger" onClick={() => (dialog.current?.close(), question.act())}>{question.yes}</button>
      </div>
    </dialog>
  );
}
