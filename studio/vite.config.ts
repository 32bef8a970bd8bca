import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// `seethrough studio --port 8750 --no-open` beside `npm run dev`; the proxy brings the token along.
const server = process.env['SEETHROUGH_DEV_SERVER'] ?? 'http://127.0.0.1:8750';
const token = process.env['SEETHROUGH_DEV_TOKEN'];

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../src/seethrough/serve/static',
    emptyOutDir: true,
    target: 'es2022',
    license: { fileName: 'licences.md' }, // tools/studio.py adds those of the fonts
    assetsInlineLimit: 0 // everything is a file of our own, so that the content policy can stay strict
  },
  server: {
    proxy: {
      '/api': {
        target: server,
        changeOrigin: true, // the server checks Host and Origin
        headers: { origin: server, ...(token ? { authorization: `Bearer ${token}` } : {}) }
      }
    }
  },
  test: { include: ['src/**/*.test.ts'] }
});
