// Package tun is the seam to the system's tunnel device: frames in batches,
// with the offloads that make a tunnel fast.
//
// It moves frames between memory and a queue of the device and knows TCP
// segmentation; it does not know sessions, routes or addresses of the device.
//
//	kernel ── ReadFrames ─▶ Segments: one super-packet cut into packets of wire size
//	kernel ◀─ WriteFrame ── Writer:   packets of one flow joined to a super-packet
//
// A frame is a virtio-net header of HeaderLen bytes (Linux layout, little
// endian) and one IP packet. Invariants: no function here keeps a slice after
// it returns, but Writer until its Write returns; nothing allocates per packet
// once warm; a malformed frame or packet never panics.
package tun

import "errors"

// HeaderLen is the length of the virtio-net header in front of every frame.
const HeaderLen = 10

// MaxFrame is the size of a buffer that holds every frame.
const MaxFrame = HeaderLen + 65535

// What one ReadFrames may usefully be given: a few super-packets or many small
// packets, and the memory for them.
const (
	BatchFrames = 64
	BatchSize   = 4 * (1 << 16)
)

// ErrFrame is returned for a frame whose header contradicts its packet.
var ErrFrame = errors.New("tun: malformed frame")

// Queue is one queue of a tunnel device. A reader and any number of writers
// may use it at the same time.
type Queue interface {
	// ReadFrames waits for a frame and takes what more is there, one behind the
	// other in buf, while MaxFrame bytes of it are left. It returns them appended
	// to frames[:0]; os.ErrClosed after Close.
	ReadFrames(buf []byte, frames [][]byte) ([][]byte, error)
	// WriteFrame hands the system one frame, given in parts that it joins.
	WriteFrame(parts [][]byte) error
	// Close ends a waiting ReadFrames and removes the queue.
	Close() error
}

// Kept is a Queue that can outlive its process, as those of Linux can.
type Kept interface {
	// Descriptor returns another descriptor of the queue, the caller's to close. While
	// it is open the device stays when the queue is closed, and what the system sends
	// to it waits for who adopts it.
	Descriptor() (fd int, err error)
}
