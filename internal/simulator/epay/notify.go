package epay

import (
	"context"
	"io"
	"net/http"
	"time"
)

type delivery struct {
	outTradeNo string
	url        string
}

// Notify delivers the notice of a trade, with the faults of now, until the
// merchant acknowledges it or the retries are used up.
func (s *Simulator) Notify(outTradeNo string) {
	s.mu.Lock()
	t, ok := s.trades[outTradeNo]
	if !ok || s.faults.LostNotice {
		s.mu.Unlock()
		return
	}
	f := s.faults
	d := delivery{outTradeNo, withQuery(t.notifyURL, s.distort(*t, f))}
	ready := []delivery{d}
	if f.Reorder {
		// The first waits for the second, which is delivered before it.
		ready = nil
		if s.held = append(s.held, d); len(s.held) == 2 {
			ready, s.held = []delivery{s.held[1], s.held[0]}, nil
		}
	}
	s.mu.Unlock()
	for range 1 + f.Duplicates {
		s.deliver(ready)
	}
}

// distort applies the faults that concern what a notice says.
func (s *Simulator) distort(t Trade, f Faults) map[string]string {
	p := s.result(t)
	if f.WrongAmount {
		n, _ := fen(t.Money) // made by yuan
		p["money"] = yuan(n + 1)
	}
	if f.ForeignPID {
		p["pid"] = s.c.PID + "9"
	}
	p["sign"] = s.Sign(p)
	if f.BadSignature {
		p["sign"] = s.Sign(map[string]string{"forged": "yes"})
	}
	return p
}

// deliver delivers notices one after the other in the background.
func (s *Simulator) deliver(all []delivery) {
	s.wg.Go(func() {
		for _, d := range all {
			s.untilAcked(d)
		}
	})
}

func (s *Simulator) untilAcked(d delivery) {
	for try := 0; ; try++ {
		if s.once(d) || try >= len(s.c.Retries) {
			return
		}
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(s.c.Retries[try]):
		}
	}
}

// once delivers one notice; true if the merchant acknowledged it.
func (s *Simulator) once(d delivery) bool {
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return false
	}
	resp, err := s.c.Client.Do(req)
	if err != nil {
		s.c.Log.Debug("notice not delivered", "trade", d.outTradeNo)
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64))
	acked := err == nil && resp.StatusCode == http.StatusOK && string(body) == "success"
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.trades[d.outTradeNo]; ok {
		t.Notices++
		t.Acked = t.Acked || acked
	}
	return acked
}
