package tun

import (
	"fmt"
	"sync"
)

// A packetDevice carries one packet per call and knows no offloads, as utun and
// Wintun do.
type packetDevice interface {
	// readPacket waits for a packet, writes it to buf[HeaderLen:] and returns its
	// length; wait false returns 0 where there is none now. What lies before it in
	// buf it may use. os.ErrClosed after Close.
	readPacket(buf []byte, wait bool) (int, error)
	// writePacket hands the system a packet that lies in frame[HeaderLen:]; what is
	// before it, it may use.
	writePacket(frame []byte) error
	Close() error
}

// plainQueue makes a Queue of a device without offloads: frames of it have an
// empty virtio-net header, and super-packets are cut before they reach it.
type plainQueue struct {
	dev packetDevice

	mu  sync.Mutex // of what follows
	seg Segments
	in  []byte // the frame of WriteFrame, in one piece
	out []byte // a packet of it, behind room for a header
}

func newPlainQueue(dev packetDevice) *plainQueue {
	return &plainQueue{dev: dev, in: make([]byte, 0, MaxFrame), out: make([]byte, MaxFrame)}
}

func (q *plainQueue) ReadFrames(buf []byte, frames [][]byte) ([][]byte, error) {
	frames = frames[:0]
	for len(buf) >= MaxFrame && len(frames) < cap(frames) {
		n, err := q.dev.readPacket(buf, len(frames) == 0)
		if err != nil && len(frames) == 0 {
			return frames, err
		}
		if err != nil || n == 0 { // an error comes again
			break
		}
		clear(buf[:HeaderLen])
		frames = append(frames, buf[:HeaderLen+n:HeaderLen+n])
		buf = buf[HeaderLen+n:]
	}
	return frames, nil
}

func (q *plainQueue) WriteFrame(parts [][]byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.in = q.in[:0]
	for _, p := range parts {
		if len(q.in)+len(p) > MaxFrame {
			return ErrFrame
		}
		q.in = append(q.in, p...)
	}
	if err := q.seg.Reset(q.in); err != nil {
		return err
	}
	var first error
	for {
		n := q.seg.Next(q.out[HeaderLen:])
		if n == 0 {
			return first
		}
		if err := q.dev.writePacket(q.out[:HeaderLen+n]); err != nil && first == nil {
			first = fmt.Errorf("writing to tun: %w", err)
		}
	}
}

func (q *plainQueue) Close() error { return q.dev.Close() }
