import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// The page of a trace in a notebook: one module and its style, which anywidget loads.
export default defineConfig({
  plugins: [svelte()],
  publicDir: false,
  build: {
    outDir: '../src/seethrough/explain/notebook/built',
    emptyOutDir: true,
    target: 'es2022',
    lib: {
      entry: 'src/notebook/widget.ts',
      formats: ['es'],
      fileName: 'widget',
      cssFileName: 'widget'
    }
  }
});
