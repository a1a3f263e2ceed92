/** The prompts that are used: what is named here is all of the library that the bundle holds. */
export {checkbox, input, password, select} from '@inquirer/prompts';
