import { css } from "lit";

// Every colour and font is a custom property that the portal may set; light and dark follow the page's color-scheme.
export const styles = css`
  :host {
    --_accent: var(--ragsvc-accent, light-dark(#1d4f91, #a3c0e4));
    --_on-accent: var(--ragsvc-on-accent, light-dark(#ffffff, #10151d));
    --_ink: var(--ragsvc-ink, light-dark(#1b2330, #e6e4dd));
    --_soft: var(--ragsvc-soft, light-dark(#545d6a, #a9b2be));
    --_sheet: var(--ragsvc-sheet, light-dark(#ffffff, #1b212b));
    --_calm: var(--ragsvc-calm, light-dark(#f1f4f8, #232b37));
    --_line: var(--ragsvc-line, light-dark(#cfd5dd, #3a4453));
    --_field: var(--ragsvc-field, light-dark(#767f8b, #7d8797));
    --_mark: var(--ragsvc-mark, light-dark(#fbe9b0, #5c4a17));
    --_warn: var(--ragsvc-warn, light-dark(#8c2f1b, #f0a08d));
    --_font: var(--ragsvc-font, system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif);
    --_radius: var(--ragsvc-radius, 8px);
    display: block; container-type: inline-size; font: 1rem/1.65 var(--_font); color: var(--_ink); text-align: start;
  }
  :host([theme="light"]) { color-scheme: light; }
  :host([theme="dark"]) { color-scheme: dark; }
  :host([theme="auto"]) { color-scheme: light dark; }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; }
  p, h2, h3, ol, blockquote { margin: 0; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  :focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
  button, textarea { font: inherit; color: inherit; }
  button { min-height: 2.75rem; padding: .35rem 1.1rem; font-weight: 600; cursor: pointer; background: var(--_sheet);
    border: 1px solid var(--_field); border-radius: var(--_radius); }
  button:hover { border-color: var(--_ink); }
  .primary { background: var(--_accent); color: var(--_on-accent); border-color: var(--_accent); }
  .quiet { border-color: transparent; background: none; color: var(--_accent); font-weight: 500; padding-inline: .6rem; }
  .quiet:hover { text-decoration: underline; }

  form { background: var(--_sheet); border: 1px solid var(--_field); border-radius: var(--_radius); }
  form:focus-within { border-color: var(--_accent); box-shadow: 0 0 0 1px var(--_accent); }
  label { display: block; font-weight: 600; padding: .7rem .9rem 0; }
  textarea { display: block; width: 100%; min-height: 4.6rem; max-height: 50vh; padding: .4rem .9rem; border: 0; outline: 0; resize: vertical;
    background: transparent; font-size: max(1rem, 16px); field-sizing: content; }
  textarea::placeholder { color: var(--_soft); opacity: 1; }
  .row { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; padding: .5rem .9rem .7rem; }
  .row .actions { display: flex; gap: .6rem; margin-inline-start: auto; }
  .hint, .receipt, .disclaimer, .validity { font-size: .875rem; color: var(--_soft); }
  .status { min-height: 1.65rem; margin: .5rem 0; color: var(--_soft); overflow-wrap: anywhere; }
  .status.error { color: var(--_warn); font-weight: 600; }

  article { background: var(--_sheet); border: 1px solid var(--_line); border-radius: var(--_radius); padding: 1rem 1.1rem; overflow-wrap: anywhere; }
  article.is-declined { background: var(--_calm); }
  .asked { color: var(--_soft); white-space: pre-line; }
  h2 { font: 600 1.1rem/1.5 var(--_font); margin: .35rem 0 .4rem; }
  h3 { font: 600 1rem/1.5 var(--_font); margin: 1.1rem 0 .2rem; }
  .answer p + p, .why { margin-top: .6rem; }
  form { margin-bottom: .9rem; }
  :lang(zh) { line-break: strict; }
  .chip { min-width: 1.75rem; min-height: 1.75rem; padding: 0 .35rem; margin: 0 .15rem; font-size: .85rem; line-height: 1; color: var(--_accent);
    border-color: var(--_accent); border-radius: 5px; vertical-align: .08em; }
  .chip:hover, .chip[aria-expanded="true"] { background: var(--_mark); color: var(--_ink); }
  .notice { border-inline-start: 4px solid var(--_warn); background: var(--_calm); padding: .5rem .8rem; margin: .6rem 0; }
  .notice.info { border-color: var(--_accent); }
  .urgent { border: 2px solid var(--_warn); border-radius: var(--_radius); background: var(--_sheet); padding: .7rem .9rem; margin: .6rem 0; font-weight: 600; }
  .urgent strong { color: var(--_warn); }
  .useful { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .3rem; }
  .thumb { min-width: 2.75rem; padding: 0; display: inline-grid; place-items: center; }
  .thumb svg { width: 1.35rem; height: 1.35rem; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linejoin: round; }
  .thumb#down svg { transform: rotate(180deg); }
  .thumb[aria-pressed="true"] svg { fill: currentColor; }
  .why-down { padding-bottom: .3rem; margin-top: .3rem; }
  .why-down fieldset { border: 0; margin: 0; padding: .7rem .9rem 0; display: flex; flex-wrap: wrap; gap: 0 1.1rem; }
  .why-down legend { float: left; width: 100%; padding: 0; font-weight: 600; }
  .why-down label { font-weight: 400; min-height: 2rem; }
  .why-down fieldset label { padding: .15rem 0; }
  .why-down textarea { min-height: 0; border-block: 1px solid var(--_line); }
  input { accent-color: var(--_accent); width: 1.05rem; height: 1.05rem; vertical-align: -.15em; }
  .goes-on { justify-content: flex-start; gap: 0 .4rem; padding-block: 0; }
  .goes-on button { min-height: 1.75rem; padding-block: 0; }
  .disclaimer { margin-top: .9rem; white-space: pre-line; }
  .sources { list-style: none; padding: 0; }
  .sources li { padding: .6rem 0; border-top: 1px solid var(--_line); }
  .sources button { min-height: 1.75rem; padding: 0; text-align: start; }
  blockquote { margin-top: .3rem; padding-inline-start: .8rem; border-inline-start: 3px solid var(--_line); white-space: pre-line;
    display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden; }
  .note { color: var(--_warn); border: 1px solid currentColor; border-radius: 4px; padding: 0 .35rem; margin-inline-start: .35rem; white-space: nowrap; }
  .tools { display: flex; flex-wrap: wrap; gap: .1rem .4rem; align-items: center; margin: .8rem -.6rem 0; border-top: 1px solid var(--_line); padding-top: .4rem; }
  .receipt { margin-inline-start: auto; padding-inline: .6rem; }
  .replies { display: flex; flex-wrap: wrap; gap: .6rem; margin: .8rem 0 .4rem; }
  details { margin-top: .9rem; }
  summary { cursor: pointer; font-weight: 600; padding: .4rem 0; }
  details article { margin-top: .7rem; }

  dialog { position: fixed; inset: 0 0 0 auto; width: min(36rem, 100vw); max-width: none; height: 100dvh; max-height: none; margin: 0; padding: 1rem 1.2rem;
    border: 0; border-inline-start: 1px solid var(--_line); background: var(--_sheet); color: var(--_ink); font: 1rem/1.65 var(--_font); }
  dialog[open] { display: flex; flex-direction: column; gap: .3rem; }
  dialog::backdrop { background: rgb(0 0 0 / .25); }
  .head { display: flex; justify-content: space-between; gap: .8rem; align-items: start; }
  .head h2 { margin: 0; overflow-wrap: anywhere; }
  .head .quiet { font-size: 1.5rem; line-height: 1; min-width: 2.75rem; margin: -.4rem -.5rem 0 0; }
  .locator { color: var(--_accent); font-weight: 600; }
  .text { flex: 1; min-height: 0; overflow: auto; border-block: 1px solid var(--_line); margin-top: .4rem; padding: .7rem .2rem; line-height: 1.9; overflow-wrap: anywhere; }
  .text p { margin-bottom: .5rem; }
  .text .title { font-weight: 600; margin-top: .8rem; }
  .around { color: var(--_soft); }
  mark { background: var(--_mark); color: inherit; padding: .1em 0; }
  .foot { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: center; justify-content: space-between; }
  a { color: var(--_accent); overflow-wrap: anywhere; }

  @container (max-width: 30rem) {
    article { padding: .8rem .85rem; }
    .row .actions, .row .actions button { flex: 1; }
    .row:not(.goes-on) .hint { width: 100%; }
  }
  @media (prefers-reduced-motion: no-preference) { .chip { transition: background .15s; } }
  @media print {
    form, .status, .tools button, rag-ask-feedback, details, .replies, dialog { display: none !important; }
    article { border: 0; padding: 0; }
    blockquote { display: block; }
    .chip { border: 0; padding: 0; min-width: 0; min-height: 0; }
    .chip::before { content: "["; } .chip::after { content: "]"; }
  }
`;
