package envelope

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hpke"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The file: magic, encapsulated key, sealed file key, chunks. Each chunk is
// AES-256-GCM over 64 KiB, only the last may be shorter; its nonce is its number
// (11 bytes) and whether it is the last (1 byte), as in STREAM (Hoang, Reyhanitabar,
// Rogaway, Vizár, CRYPTO 2015), so that chunks cannot be cut off, moved or repeated.
const (
	chunkSize = 64 << 10
	keySize   = 32
	tagSize   = 16
	encSize   = 1120 // of MLKEM768X25519: ML-KEM-768 ciphertext and X25519 key
)

// ErrAltered says that a file is not what was written: changed, or cut off.
var ErrAltered = errors.New("the file is altered or cut off")

// Writer encrypts what is written to it. Without Close the file does not open.
type Writer struct {
	w     io.Writer
	aead  cipher.AEAD
	buf   []byte
	count uint64
}

// Seal begins a file for a key. context is bound to it: whoever opens the file
// has to name the same.
func (f Format) Seal(w io.Writer, k PublicKey, context string) (*Writer, error) {
	enc, sender, err := hpke.NewSender(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(f.magic()+context))
	if err != nil {
		return nil, err
	}
	fileKey := make([]byte, keySize)
	_, _ = rand.Read(fileKey) // never fails (crypto/rand)
	wrapped, err := sender.Seal(nil, fileKey)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(bytes.Join([][]byte{[]byte(f.magic()), enc, wrapped}, nil)); err != nil {
		return nil, err
	}
	aead, err := newAEAD(fileKey)
	return &Writer{w: w, aead: aead, buf: make([]byte, 0, chunkSize)}, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func nonce(count uint64, last bool) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint64(n[3:11], count)
	if last {
		n[11] = 1
	}
	return n
}

// Write fills io.Writer.
func (s *Writer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(s.buf) == chunkSize {
			if err := s.flush(false); err != nil {
				return 0, err
			}
		}
		take := min(len(p), chunkSize-len(s.buf))
		s.buf, p = append(s.buf, p[:take]...), p[take:]
	}
	return n, nil
}

// Close writes the last chunk. It does not close what is below.
func (s *Writer) Close() error { return s.flush(true) }

func (s *Writer) flush(last bool) error {
	_, err := s.w.Write(s.aead.Seal(nil, nonce(s.count, last), s.buf, nil))
	s.count++
	s.buf = s.buf[:0]
	return err
}

// Reader is the other direction. It returns no byte of a chunk that it did not
// authenticate, and io.EOF only after the last one.
type Reader struct {
	r     *bufio.Reader
	aead  cipher.AEAD
	plain []byte
	count uint64
	done  bool
}

// Open begins to read a file: ErrKey for another key or context.
func (f Format) Open(r io.Reader, k PrivateKey, context string) (*Reader, error) {
	magic := f.magic()
	head := make([]byte, len(magic)+encSize+keySize+tagSize)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("reading its head: %w", ErrAltered)
	}
	enc, wrapped := head[len(magic):len(magic)+encSize], head[len(magic)+encSize:]
	recipient, err := hpke.NewRecipient(enc, k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(magic+context))
	if err != nil {
		return nil, ErrKey
	}
	fileKey, err := recipient.Open(nil, wrapped)
	if err != nil {
		return nil, ErrKey
	}
	aead, err := newAEAD(fileKey)
	return &Reader{r: bufio.NewReaderSize(r, chunkSize), aead: aead}, err
}

// Read fills io.Reader.
func (o *Reader) Read(p []byte) (int, error) {
	for len(o.plain) == 0 {
		if o.done {
			return 0, io.EOF
		}
		if err := o.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

func (o *Reader) next() error {
	sealed := make([]byte, chunkSize+tagSize)
	n, err := io.ReadFull(o.r, sealed)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	_, err = o.r.Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	o.done = err != nil
	o.plain, err = o.aead.Open(sealed[:0], nonce(o.count, o.done), sealed[:n], nil)
	o.count++
	if err != nil {
		return ErrAltered
	}
	return nil
}
