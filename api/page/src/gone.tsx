// A job that is not there (any more), also where somebody looks at it just now.
import { words } from "./words";

export function Gone() {
  return (
    <div class="card empty" role="alert">
      <h1>{words.job.gone}</h1>
      <p>{words.job.goneHint}</p>
      <p><a href="#/">{words.nav.tonight}</a></p>
    </div>
  );
}
