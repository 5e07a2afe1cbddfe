import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { defineConfig } from "vite";

const here = import.meta.dirname;
const OUT = resolve(here, "ragsvc.js");

/** SHA-256 over every file that the built file depends on: its path, a zero byte, its text, a zero byte. */
function hashOfSources(): string {
  const inSrc = readdirSync(join(here, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here, join(entry.parentPath, entry.name)).split(sep).join("/"));
  const hash = createHash("sha256");
  for (const name of [...inSrc, "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"].sort()) {
    hash.update(`${name}\0`).update(readFileSync(join(here, name))).update("\0");
  }
  return hash.digest("hex");
}

// One file, for every browser of the last three years; the hash in its first line says which sources it is made of.
export default defineConfig({
  root: here,
  resolve: { preserveSymlinks: true }, // paths stand in comments of the built file
  build: {
    lib: { entry: "src/rag-ask.ts", formats: ["es"], fileName: () => "ragsvc.js" },
    outDir: "build",
    target: ["chrome123", "firefox120", "safari17.5"],
  },
  plugins: [
    {
      name: "one-file",
      writeBundle(_options, bundle) {
        const built = Object.values(bundle);
        if (built.length !== 1 || built[0].type !== "chunk") throw new Error("the widget is one file");
        writeFileSync(OUT, `/*! ragsvc widget, Apache-2.0; with Lit, BSD-3-Clause. Sources: ${hashOfSources()} */\n${built[0].code}`);
      },
    },
  ],
});
