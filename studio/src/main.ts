import { mount } from 'svelte';
import App from './App.svelte';
import './theme.css';

const target = document.getElementById('studio');
if (!target) throw new Error('index.html has lost its #studio');

// Drawn in another font first, everything would move a little when ours arrives.
const patience_ms = 1000;
const fonts = Promise.allSettled([...document.fonts].map((face) => face.load()));
await Promise.race([fonts, new Promise((done) => setTimeout(done, patience_ms))]);

export default mount(App, { target });
