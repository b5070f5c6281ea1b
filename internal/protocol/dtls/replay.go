package dtls

const (
	// windowSize is the number of sequence numbers below the highest one that are
	// still accepted. Batches received out of order by several queues need far
	// more than the 64 of RFC 6347.
	windowSize  = 2048
	windowWords = windowSize / 64
)

// window is the anti-replay window of RFC 6347 4.1.2.6 as a ring of bits: the
// bit of a sequence number is at seq mod windowSize. It is not safe for
// concurrent use.
type window struct {
	started bool
	highest uint64
	bits    [windowWords]uint64
}

// fresh tells whether seq was not accepted yet and is not too old.
func (w *window) fresh(seq uint64) bool {
	if !w.started || seq > w.highest {
		return true
	}
	if w.highest-seq >= windowSize {
		return false
	}
	return w.bits[seq/64%windowWords]&(1<<(seq%64)) == 0
}

// accept marks seq as seen and reports whether it was fresh. It is called only
// for records whose AEAD has verified.
func (w *window) accept(seq uint64) bool {
	if !w.fresh(seq) {
		return false
	}
	if !w.started {
		w.started, w.highest = true, seq
	}
	if seq > w.highest {
		w.advance(seq)
	}
	w.bits[seq/64%windowWords] |= 1 << (seq % 64)
	return true
}

// advance moves the top of the window to seq and clears the bits that enter it.
func (w *window) advance(seq uint64) {
	if seq-w.highest >= windowSize {
		w.bits = [windowWords]uint64{}
		w.highest = seq
		return
	}
	for s := w.highest + 1; s <= seq; s++ {
		w.bits[s/64%windowWords] &^= 1 << (s % 64)
	}
	w.highest = seq
}
