package dtls

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
)

// pair returns the two ends of an association.
func pair(t testing.TB, id uint16) (client, server *Association) {
	t.Helper()
	s, err := suiteByID(id)
	if err != nil {
		t.Fatal(err)
	}
	random := bytes.Repeat([]byte{3}, randomLen)
	client, err = newAssociation(s, testMaster, random, random, false)
	if err != nil {
		t.Fatal(err)
	}
	server, err = newAssociation(s, testMaster, random, random, true)
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestSealOpenInPlace(t *testing.T) {
	t.Parallel()
	for _, s := range suites {
		client, server := pair(t, s.id)
		for _, n := range []int{0, 1, 15, 16, 17, 1435, maxPlaintext} {
			head := client.Sealer.Headroom()
			buf := make([]byte, head+n, head+n+tagLen)
			for i := range n {
				buf[head+i] = byte(i)
			}
			want := bytes.Clone(buf[head:])
			seq, err := client.Sealer.Reserve(1)
			if err != nil {
				t.Fatal(err)
			}
			record := client.Sealer.Seal(buf[:0], seq, TypeApplicationData, buf[head:])
			if &record[0] != &buf[0] || len(record) != n+client.Sealer.Overhead() {
				t.Fatalf("%04x: %d bytes not sealed in place", s.id, n)
			}
			typ, plain, got, err := server.Opener.Open(record)
			if err != nil || typ != TypeApplicationData || got != seq || !bytes.Equal(plain, want) {
				t.Fatalf("%04x: %d bytes: type %d seq %d, %v", s.id, n, typ, got, err)
			}
			if n > 0 && &plain[0] != &record[head] {
				t.Errorf("%04x: not opened in place", s.id)
			}
		}
	}
}

// The GCM nonce is the sender's: a record whose explicit nonce is not its epoch
// and sequence opens all the same.
func TestOpenTakesNonceFromRecord(t *testing.T) {
	t.Parallel()
	client, server := pair(t, SuitePSKAES256GCM)
	w := client.Sealer
	putAAD(&w.aad, 1<<48|5, TypeApplicationData, 3)
	w.nonce = w.iv
	copy(w.nonce[4:], "anything")
	record := append([]byte{TypeApplicationData, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 5, 0, 8 + 3 + 16}, "anything"...)
	record = w.aead.Seal(record, w.nonce[:], []byte("abc"), w.aad[:])
	if _, plain, seq, err := server.Opener.Open(record); err != nil || seq != 5 || string(plain) != "abc" {
		t.Errorf("got %q seq %d, %v", plain, seq, err)
	}
}

func TestOpenRejects(t *testing.T) {
	t.Parallel()
	for _, s := range suites {
		client, server := pair(t, s.id)
		seal := func(seq uint64) []byte { return client.Sealer.Seal(nil, seq, TypeApplicationData, []byte("packet")) }
		open := func(r []byte) error { _, _, _, err := server.Opener.Open(r); return err }
		if err := open(seal(3000)); err != nil {
			t.Fatal(err)
		}
		if err := open(seal(3000)); !errors.Is(err, ErrReplay) {
			t.Errorf("repeated: got %v want ErrReplay", err)
		}
		if err := open(seal(3000 - windowSize)); !errors.Is(err, ErrReplay) {
			t.Errorf("too old: got %v want ErrReplay", err)
		}
		if err := open(seal(3001 - windowSize)); err != nil {
			t.Errorf("oldest of the window: got %v", err)
		}
		plain := appendPlainRecord(nil, TypeApplicationData, version12, 1, make([]byte, 64))
		if err := open(plain); !errors.Is(err, ErrEpoch) {
			t.Errorf("epoch 0: got %v want ErrEpoch", err)
		}
		whole := seal(4000)
		for n := range whole {
			if err := open(bytes.Clone(whole[:n])); err == nil {
				t.Fatalf("%d of %d bytes opened", n, len(whole))
			}
		}
		// Every changed bit fails and leaves the window alone, so that the true
		// record is still welcome.
		for i := range whole {
			changed := bytes.Clone(whole)
			changed[i] ^= 1
			if i == 1 || i == 2 || i == 11 || i == 12 {
				continue // version and length: NextRecord's business
			}
			if err := open(changed); err == nil {
				t.Fatalf("byte %d changed, opened", i)
			}
		}
		if err := open(whole); err != nil {
			t.Errorf("after the forgeries: %v", err)
		}
	}
}

// Decrypt into another buffer leaves the record as it was, for the next session
// that it is tried against.
func TestDecryptKeepsRecord(t *testing.T) {
	t.Parallel()
	client, server := pair(t, SuitePSKAES128GCM)
	record := client.Sealer.Seal(nil, 1, TypeApplicationData, []byte("packet"))
	kept := bytes.Clone(record)
	stranger, _ := pair(t, SuitePSKAES128GCM)
	if _, _, _, err := stranger.Opener.Decrypt(make([]byte, 0, 64), record); !errors.Is(err, ErrAuth) {
		t.Errorf("other direction's key: got %v want ErrAuth", err)
	}
	if !bytes.Equal(record, kept) {
		t.Error("the record was changed")
	}
	_, plain, seq, err := server.Opener.Decrypt(make([]byte, 0, 64), record)
	if err != nil || string(plain) != "packet" {
		t.Fatalf("got %q, %v", plain, err)
	}
	if !server.Opener.Accept(seq) || server.Opener.Accept(seq) {
		t.Error("a sequence number is accepted exactly once")
	}
	if got := server.Opener.Highest(); got != 1 {
		t.Errorf("highest: got %d want 1", got)
	}
}

// The window agrees with a set of everything seen, on random walks.
func TestWindowAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		var w window
		seen := map[uint64]bool{}
		var high, at uint64
		for range 20000 {
			switch r.IntN(100) {
			case 0:
				at += r.Uint64N(3 * windowSize)
			case 1:
				at = high - min(high, r.Uint64N(2*windowSize))
			default:
				at += r.Uint64N(3)
			}
			want := !seen[at] && (len(seen) == 0 || at > high || high-at < windowSize)
			if got := w.accept(at); got != want {
				t.Fatalf("seed %d seq %d highest %d: got %v want %v", seed, at, high, got, want)
			}
			if want {
				seen[at] = true
				high = max(high, at)
			}
		}
	}
}

func TestReserve(t *testing.T) {
	t.Parallel()
	client, _ := pair(t, SuitePSKAES128GCM)
	var mu sync.Mutex
	seen := map[uint64]bool{}
	var wg sync.WaitGroup
	for range 8 {
		w := client.Sealer.Fork()
		wg.Go(func() {
			for range 100 {
				first, err := w.Reserve(7)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for i := range uint64(7) {
					if seen[first+i] {
						t.Errorf("sequence %d reserved twice", first+i)
					}
					seen[first+i] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if got := client.Sealer.Sent(); got != 5600 {
		t.Errorf("sent: got %d want 5600", got)
	}
	client.Sealer.next.Store(maxSeq - 1)
	if _, err := client.Sealer.Reserve(2); !errors.Is(err, ErrExhausted) {
		t.Errorf("beyond 48 bits: got %v want ErrExhausted", err)
	}
	if _, err := client.Sealer.Reserve(1); err != nil {
		t.Errorf("the last one: %v", err)
	}
}

func TestForksRunInParallel(t *testing.T) {
	t.Parallel()
	client, server := pair(t, SuitePSKAES256GCM)
	var wg sync.WaitGroup
	for range 4 {
		w, r := client.Sealer.Fork(), server.Opener.Fork()
		wg.Go(func() {
			buf := make([]byte, 0, 128)
			for range 200 {
				seq, err := w.Reserve(1)
				if err != nil {
					t.Error(err)
					return
				}
				record := w.Seal(nil, seq, TypeApplicationData, []byte("packet"))
				if _, plain, got, err := r.Decrypt(buf, record); err != nil || got != seq || string(plain) != "packet" {
					t.Errorf("got %q seq %d, %v", plain, got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNoAllocationPerPacket(t *testing.T) {
	for _, s := range suites {
		client, server := pair(t, s.id)
		head := client.Sealer.Headroom()
		buf := make([]byte, 2048)
		trial := make([]byte, 0, 2048)
		got := testing.AllocsPerRun(200, func() {
			seq, err := client.Sealer.Reserve(1)
			if err != nil {
				t.Fatal(err)
			}
			datagram := client.Sealer.Seal(buf[:0], seq, TypeApplicationData, buf[head:head+1400])
			record, _, err := NextRecord(datagram)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, _, err = server.Opener.Decrypt(trial, record); err != nil {
				t.Fatal(err)
			}
			if _, _, _, err = server.Opener.Open(record); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("%04x: %v allocations per packet", s.id, got)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, s := range []uint16{SuitePSKAES128GCM, SuitePSKAES256GCM, SuitePSKChaCha20} {
		b.Run(map[uint16]string{SuitePSKAES128GCM: "aes128", SuitePSKAES256GCM: "aes256", SuitePSKChaCha20: "chacha"}[s], func(b *testing.B) {
			client, _ := pair(b, s)
			head := client.Sealer.Headroom()
			buf := make([]byte, 2048)
			b.SetBytes(1400)
			b.ReportAllocs()
			for b.Loop() {
				seq, err := client.Sealer.Reserve(1)
				if err != nil {
					b.Fatal(err)
				}
				client.Sealer.Seal(buf[:0], seq, TypeApplicationData, buf[head:head+1400])
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	client, server := pair(b, SuitePSKAES128GCM)
	record := client.Sealer.Seal(nil, 1, TypeApplicationData, make([]byte, 1400))
	out := make([]byte, 0, 2048)
	b.SetBytes(1400)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := server.Opener.Decrypt(out, record); err != nil {
			b.Fatal(err)
		}
	}
}
