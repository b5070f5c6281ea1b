package user

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
)

const (
	restartLimit = 30 * time.Second // for the daemon to be back
	restartEvery = 50 * time.Millisecond
)

// Restart has the daemon go on as the program that is installed, and returns what the
// new one says of itself. Connections come back by themselves, without a login.
func (h *Home) Restart(ctx context.Context) (ipc.Status, error) {
	before, err := h.Daemon.Status(ctx)
	if err != nil && !errors.Is(err, ipc.ErrVersion) { // another version is what it is for
		return ipc.Status{}, err
	}
	err = h.Daemon.Call(ctx, ipc.Request{Op: ipc.OpRestart}, func(ipc.Answer) error { return nil })
	if err != nil && !errors.Is(err, ipc.ErrCut) { // it may be gone before its answer came
		return ipc.Status{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, restartLimit)
	defer cancel()
	tick := time.NewTicker(restartEvery)
	defer tick.Stop()
	for {
		now, err := h.Daemon.Status(ctx)
		if err == nil && !now.Began.Equal(before.Began) {
			if now.Stayed {
				return now, ipc.ErrSuccessor
			}
			return now, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ipc.Status{}, errors.Join(ctx.Err(), err)
		}
	}
}
