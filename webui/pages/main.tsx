/** Where the page begins in a browser. */
import { render } from "preact";
import { App } from "./shell/app.tsx";
// oxlint-disable-next-line import/no-unassigned-import -- the bundler takes the style sheet from here.
import "./style/index.css";

render(<App />, document.body);
