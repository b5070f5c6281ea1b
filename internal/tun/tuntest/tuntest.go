// Package tuntest is a tunnel device in memory, for tests of what lies above
// internal/tun. It offers no offload: frames carry one packet each.
//
// What a test gives to Inject is read by the program; what the program writes
// comes out of Packets, one whole packet per frame.
package tuntest

import (
	"os"
	"slices"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// Queue is a tun.Queue in memory.
type Queue struct {
	in      chan []byte
	packets chan []byte
	done    chan struct{}
	once    sync.Once
}

// New returns an open queue that holds up to depth packets in each direction.
func New(depth int) *Queue {
	return &Queue{in: make(chan []byte, depth), packets: make(chan []byte, depth), done: make(chan struct{})}
}

// Inject makes p the next packet that the system "sends".
func (q *Queue) Inject(p []byte) {
	q.in <- append(make([]byte, tun.HeaderLen), p...)
}

// InjectFrame is Inject with a virtio-net header of the caller's making.
func (q *Queue) InjectFrame(frame []byte) { q.in <- slices.Clone(frame) }

// Packets gives what was written, without the virtio-net header. Joined
// packets come out joined.
func (q *Queue) Packets() <-chan []byte { return q.packets }

// ReadFrames implements tun.Queue, one frame at a time.
func (q *Queue) ReadFrames(buf []byte, frames [][]byte) ([][]byte, error) {
	select {
	case f := <-q.in:
		return append(frames[:0], buf[:copy(buf, f)]), nil
	case <-q.done:
		return nil, os.ErrClosed
	}
}

// WriteFrame implements tun.Queue. It waits while Packets is full.
func (q *Queue) WriteFrame(parts [][]byte) error {
	frame := slices.Concat(parts...)
	select {
	case q.packets <- frame[tun.HeaderLen:]:
		return nil
	case <-q.done:
		return os.ErrClosed
	}
}

// Close implements tun.Queue.
func (q *Queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Discard returns a queue that takes every frame and never has one. Writing to
// it does not allocate.
func Discard() tun.Queue { return &discard{done: make(chan struct{})} }

type discard struct {
	done chan struct{}
	once sync.Once
}

func (d *discard) ReadFrames([]byte, [][]byte) ([][]byte, error) { <-d.done; return nil, os.ErrClosed }
func (d *discard) WriteFrame([][]byte) error                     { return nil }
func (d *discard) Close() error                                  { d.once.Do(func() { close(d.done) }); return nil }
