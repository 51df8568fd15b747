// Builds what the office pages link to, straight into the Python package:
//   manifest.json   which hashed files belong to an entry point (read by wanjia.ui.assets)
//   icons.json      the drawings the pages inline, only those in src/icons.json
//   *.gz            compressed once here, so the server never compresses per request
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, constants } from 'node:zlib';
import { defineConfig } from 'vite';

const OUT = join(import.meta.dirname, '../src/wanjia/ui/static/ui');
const ICONS = join(import.meta.dirname, 'node_modules/@tabler/icons/icons/outline');

function drawing(file) {
  const svg = readFileSync(join(ICONS, `${file}.svg`), 'utf8');
  return svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1, svg.lastIndexOf('</svg>')).replace(/\s*\n\s*/g, '');
}

function icons() {
  return {
    name: 'wanjia-icons',
    generateBundle() {
      const wanted = JSON.parse(readFileSync(join(import.meta.dirname, 'src/icons.json'), 'utf8'));
      const source = Object.fromEntries(Object.entries(wanted).map(([name, file]) => [name, drawing(file)]));
      this.emitFile({ type: 'asset', fileName: 'icons.json', source: JSON.stringify(source) });
    },
  };
}

function compressed() {
  return {
    name: 'wanjia-compressed',
    closeBundle() {
      for (const file of readdirSync(OUT)) {
        if (!/\.(js|css)$/.test(file)) continue;
        const packed = gzipSync(readFileSync(join(OUT, file)), { level: constants.Z_BEST_COMPRESSION });
        writeFileSync(join(OUT, `${file}.gz`), packed);
      }
    },
  };
}

export default defineConfig({
  base: './',
  publicDir: false,
  plugins: [icons(), compressed()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: 'es2018', // the browsers on county desks are years old
    cssTarget: ['chrome88', 'safari14'], // older ones get every logical property once per text direction
    modulePreload: false,
    rollupOptions: {
      input: ['src/office.ts'],
      // htmx can evaluate expressions; the pages switch that off (allowEval) and the CSP forbids it.
      onwarn: (warning, report) => (warning.code === 'EVAL' && /htmx/.test(warning.id ?? '') ? undefined : report(warning)),
      output: {
        // Twelve hexadecimal digits: the form whitenoise knows as never changing.
        hashCharacters: 'hex',
        entryFileNames: '[name].[hash:12].js',
        chunkFileNames: '[name].[hash:12].js',
        assetFileNames: '[name].[hash:12][extname]',
      },
    },
  },
  css: { preprocessorOptions: { scss: { quietDeps: true } } },
});
