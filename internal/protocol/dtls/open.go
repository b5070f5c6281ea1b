package dtls

import (
	"crypto/cipher"
	"encoding/binary"
)

// Opener reads the epoch 1 records of one direction.
//
// An Opener belongs to one goroutine at a time. [Opener.Fork] makes another for
// the same key whose Decrypt may run in parallel; only one of them may call
// Open, Fresh and Accept, since they share the replay window.
type Opener struct {
	aead   cipher.AEAD
	suite  *suite
	iv     [12]byte
	window *window

	nonce [12]byte
	aad   [13]byte
}

func newOpener(s *suite, key, iv []byte) (*Opener, error) {
	aead, err := s.newAEAD(key)
	if err != nil {
		return nil, err
	}
	r := &Opener{aead: aead, suite: s, window: new(window)}
	copy(r.iv[:], iv)
	return r, nil
}

// Fork returns an Opener for another goroutine that shares key and window.
func (r *Opener) Fork() *Opener {
	return &Opener{aead: r.aead, suite: r.suite, iv: r.iv, window: r.window}
}

// Open checks, decrypts and accepts one record of [NextRecord] in place: the
// plaintext aliases the record. Nothing is allocated. On ErrAuth the record's
// bytes are destroyed; ErrEpoch and ErrReplay leave them as they were.
func (r *Opener) Open(record []byte) (typ byte, plaintext []byte, seq uint64, err error) {
	if len(record) < recordHeaderLen {
		return 0, nil, 0, ErrRecord
	}
	if recordEpoch(record) == 1 && !r.window.fresh(recordSeq(record)) {
		return 0, nil, 0, ErrReplay
	}
	typ, plaintext, seq, err = r.Decrypt(record[r.bodyOffset(record):][:0], record)
	if err != nil {
		return 0, nil, 0, err
	}
	r.window.accept(seq)
	return typ, plaintext, seq, nil
}

// Decrypt authenticates and decrypts a record into dst[:0]'s array, appending
// to dst, without looking at the replay window. With a dst of its own the record
// stays intact, so that it can be tried against several sessions.
func (r *Opener) Decrypt(dst, record []byte) (typ byte, plaintext []byte, seq uint64, err error) {
	explicit := r.suite.explicit()
	if n := len(record) - recordHeaderLen - explicit - tagLen; n < 0 || n > maxPlaintext {
		return 0, nil, 0, ErrRecord // RFC 5246 6.2.1: no plaintext is longer
	}
	if recordEpoch(record) != 1 {
		return 0, nil, 0, ErrEpoch
	}
	epochSeq := binary.BigEndian.Uint64(record[3:])
	body := record[recordHeaderLen+explicit:]
	typ = record[0]
	putAAD(&r.aad, epochSeq, typ, len(body)-tagLen)
	r.nonce = r.iv
	if explicit > 0 {
		copy(r.nonce[4:], record[recordHeaderLen:]) // the sender's choice, not ours
	} else {
		xorNonce(&r.nonce, epochSeq)
	}
	start := len(dst)
	out, err := r.aead.Open(dst, r.nonce[:], body, r.aad[:])
	if err != nil {
		return 0, nil, 0, ErrAuth
	}
	return typ, out[start:], epochSeq & maxSeq, nil
}

// Fresh tells whether the window would accept a sequence number.
func (r *Opener) Fresh(seq uint64) bool { return r.window.fresh(seq) }

// Accept marks the sequence number of an authentic record as seen. false means
// that it was seen before or is too old, and the record must be dropped.
func (r *Opener) Accept(seq uint64) bool { return r.window.accept(seq) }

// Highest returns the highest sequence number accepted so far; a peer's address
// may move only on a record above it.
func (r *Opener) Highest() uint64 { return r.window.highest }

// bodyOffset is where the ciphertext of a record starts, at most its length.
func (r *Opener) bodyOffset(record []byte) int {
	return min(len(record), recordHeaderLen+r.suite.explicit())
}
