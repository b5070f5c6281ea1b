package dtls

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"sync/atomic"
)

// maxSeq is the largest record sequence number: 48 bits.
const maxSeq = 1<<48 - 1

// ErrExhausted says that the sequence numbers of an epoch are used up; the
// session needs a new tunnel.
var ErrExhausted = errors.New("dtls: sequence numbers exhausted")

// Sealer writes the epoch 1 records of one direction.
//
// A Sealer has scratch space of its own and belongs to one goroutine at a time.
// [Sealer.Fork] makes another for the same direction; all of them draw from one
// sequence, which [Sealer.Reserve] hands out atomically. Whoever reserves a
// sequence number must use it at most once: a repeated GCM nonce gives away the
// key.
type Sealer struct {
	aead  cipher.AEAD
	suite *suite
	iv    [12]byte
	next  *atomic.Uint64

	// Scratch, because slices given to a cipher.AEAD escape.
	nonce [12]byte
	aad   [13]byte
}

func newSealer(s *suite, key, iv []byte) (*Sealer, error) {
	aead, err := s.newAEAD(key)
	if err != nil {
		return nil, err
	}
	w := &Sealer{aead: aead, suite: s, next: new(atomic.Uint64)}
	copy(w.iv[:], iv)
	return w, nil
}

// Fork returns a Sealer for another goroutine that shares key and sequence.
func (w *Sealer) Fork() *Sealer {
	return &Sealer{aead: w.aead, suite: w.suite, iv: w.iv, next: w.next}
}

// Headroom is the number of bytes before the plaintext of a record: 21 with
// AES-GCM, 13 with ChaCha20-Poly1305.
func (w *Sealer) Headroom() int { return recordHeaderLen + w.suite.explicit() }

// Overhead is what a record adds to its plaintext: Headroom plus the 16 byte tag.
func (w *Sealer) Overhead() int { return w.Headroom() + tagLen }

// Reserve takes n consecutive sequence numbers and returns the first. It may be
// called from any goroutine. ErrExhausted after 2^48 records.
func (w *Sealer) Reserve(n int) (first uint64, err error) {
	end := w.next.Add(uint64(n))
	if end > maxSeq {
		w.next.Add(-uint64(n)) // stay exhausted instead of wrapping around
		return 0, ErrExhausted
	}
	return end - uint64(n), nil
}

// Sent returns how many sequence numbers were reserved so far.
func (w *Sealer) Sent() uint64 { return w.next.Load() }

// Seal appends the record of plaintext with a reserved sequence number to dst
// and returns the longer slice. Nothing is allocated when dst has room.
//
// The plaintext may already lie in place, at Headroom bytes after len(dst) in
// dst's array; any other overlap panics. It must not exceed 16384 bytes.
func (w *Sealer) Seal(dst []byte, seq uint64, typ byte, plaintext []byte) []byte {
	if len(plaintext) > maxPlaintext {
		panic("dtls: plaintext longer than a record") // the caller's mistake, not input
	}
	epochSeq := 1<<48 | seq&maxSeq
	explicit := w.suite.explicit()
	w.setAAD(epochSeq, typ, len(plaintext))
	w.setNonce(epochSeq)
	dst = append(dst, typ, version12>>8, version12&0xff)
	dst = binary.BigEndian.AppendUint64(dst, epochSeq)
	dst = binary.BigEndian.AppendUint16(dst, uint16(explicit+len(plaintext)+tagLen))
	if explicit > 0 {
		dst = binary.BigEndian.AppendUint64(dst, epochSeq)
	}
	return w.aead.Seal(dst, w.nonce[:], plaintext, w.aad[:])
}

func (w *Sealer) setAAD(epochSeq uint64, typ byte, n int) {
	putAAD(&w.aad, epochSeq, typ, n)
}

func (w *Sealer) setNonce(epochSeq uint64) {
	w.nonce = w.iv
	if w.suite.explicit() > 0 {
		binary.BigEndian.PutUint64(w.nonce[4:], epochSeq)
		return
	}
	xorNonce(&w.nonce, epochSeq)
}

// putAAD writes epoch, sequence, type, version and plaintext length (RFC 5246
// 6.2.3.3 with the sequence of RFC 6347).
func putAAD(aad *[13]byte, epochSeq uint64, typ byte, n int) {
	binary.BigEndian.PutUint64(aad[:], epochSeq)
	aad[8] = typ
	binary.BigEndian.PutUint16(aad[9:], version12)
	binary.BigEndian.PutUint16(aad[11:], uint16(n))
}

// xorNonce mixes the sequence into a 12 byte IV (RFC 7905).
func xorNonce(nonce *[12]byte, epochSeq uint64) {
	v := binary.BigEndian.Uint64(nonce[4:]) ^ epochSeq
	binary.BigEndian.PutUint64(nonce[4:], v)
}
