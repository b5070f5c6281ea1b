package client

import (
	"sync"
	"sync/atomic"

	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// wires are the device's queues, each with a pump, which outlive sessions: so
// that a session that ends needs to close no queue, and another takes its place
// between two batches.
type wires struct {
	queues []tun.Queue
	tally  tally

	current atomic.Pointer[Session] // nil: pumps wait, and the system's queue fills
	mu      sync.Mutex
	changed chan struct{} // closed when current is set
	done    chan struct{} // closed by close
	failed  chan error    // the first error of a queue
	pumps   sync.WaitGroup
	once    sync.Once
}

func newWires(queues []tun.Queue) *wires {
	w := &wires{queues: queues, changed: make(chan struct{}), done: make(chan struct{}), failed: make(chan error, 1)}
	for _, q := range queues {
		w.pumps.Go(func() {
			err := w.pump(q)
			select {
			case w.failed <- err:
			default:
			}
		})
	}
	return w
}

// use makes s the session that packets go to.
func (w *wires) use(s *Session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current.Store(s)
	close(w.changed)
	w.changed = make(chan struct{})
}

// lose ends the use of s, unless another has taken its place.
func (w *wires) lose(s *Session) { w.current.CompareAndSwap(s, nil) }

// wait returns the session in use, nil after close.
func (w *wires) wait() *Session {
	if s := w.current.Load(); s != nil {
		return s
	}
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if s := w.current.Load(); s != nil {
			return s
		}
		select {
		case <-changed:
		case <-w.done:
			return nil
		}
	}
}

// pump takes frames of one queue and has the session of the moment send them.
func (w *wires) pump(q tun.Queue) error {
	buf, frames := make([]byte, tun.BatchSize), make([][]byte, 0, tun.BatchFrames)
	out := dtlsWriter{tally: &w.tally}
	for {
		var err error
		if frames, err = q.ReadFrames(buf, frames); err != nil {
			return err
		}
		s := w.wait()
		if s == nil {
			return nil
		}
		if err := s.forward(&out, frames); err != nil {
			w.lose(s)
			s.end(err)
		}
	}
}

// close closes the queues and waits for the pumps.
func (w *wires) close() {
	w.once.Do(func() {
		close(w.done)
		for _, q := range w.queues {
			_ = q.Close()
		}
	})
	w.pumps.Wait()
}
