// Behaviour of the office pages. Everything works without it; it only saves steps.
import 'htmx.org/dist/htmx.esm.js';
import './style/office.scss';
import { closeDropdowns } from './dropdowns';
import { acceptDrops } from './drop';
import { askBefore } from './confirm';
import { followKeys } from './keys';
import { selectAll } from './selection';
import { keepDrafts } from './drafts';
import { bringIntoView } from './showing';
import { suggestWhileTyping } from './suggest';

closeDropdowns();
acceptDrops();
askBefore();
followKeys();
selectAll();
bringIntoView();
suggestWhileTyping();
keepDrafts();
