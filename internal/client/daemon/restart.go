package daemon

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
)

// tryLimit is how long the program that is installed may take to say its version.
const tryLimit = 10 * time.Second

// restart has the installed program take this one's place. Who could put it there
// means it to run, so everybody who may use the daemon may ask for that; to restart
// it for nothing only an administrator may. A program that does not even start is
// not given the connections.
func (h *hub) restart(ctx context.Context, who ipc.User) error {
	switch {
	case h.cfg.Program == nil:
		return ipc.ErrManager
	case !who.Admin && !h.cfg.Program.Replaced():
		return ipc.ErrNotRenewed
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	if err := h.cfg.Program.Try(ctx); err != nil {
		return ipc.ErrSuccessor.With(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ipc.ErrRestarting
	}
	h.cfg.Log.Info("another program takes the place of this one")
	h.closed, h.handing = true, true
	h.restarts()
	return nil
}

func (h *hub) restarting() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.handing
}
