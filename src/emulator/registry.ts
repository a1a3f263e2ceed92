export {startRegistry} from './registry/server.ts';
