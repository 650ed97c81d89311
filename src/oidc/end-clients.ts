export { endClients } from './end-clients-store.js';
