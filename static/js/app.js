// The one script of every page.
import "./htmx.js";
import { startClipboard } from "./clipboard.js";
import { startDrawer } from "./drawer.js";
import { startFreshness } from "./freshness.js";
import { startKeyboard } from "./keyboard.js";
import { startLive } from "./live.js";
import { startPanels } from "./panels.js";
import { startPnl } from "./pnl.js";
import { startRows } from "./rows.js";
import { startSettings } from "./settings.js";
import { startTheme } from "./theme.js";

startTheme();
startClipboard();
startDrawer();
startKeyboard();
startFreshness();
startPanels();
startPnl();
startRows();
startSettings();
startLive();
