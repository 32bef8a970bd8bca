import { mount } from 'svelte';
import App from './App.svelte';
import './theme.css';

const target = document.getElementById('studio');
if (!target) throw new Error('index.html has lost its #studio');

export default mount(App, { target });
