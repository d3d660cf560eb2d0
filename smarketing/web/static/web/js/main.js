// The one entry: every module listens on the document, so swapped fragments need no set-up.
import "htmx";
import "web/requests";
import "web/theme";
import "web/copying";
import "web/dialogs";
import "web/menus";
import "web/toasts";
import "web/forms";
import "web/inline";
import "web/selection";
import "web/shortcuts";
import "web/palette";
import "web/countdown";
import "web/polling";
import "web/opened";
import "web/board";

document.documentElement.dataset.ready = "1";
