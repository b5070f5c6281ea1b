package till

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Notify delivers the notice of a trade, with the faults of now, until the
// merchant acknowledges it or the retries are used up.
func (t *Till) Notify(outTradeNo string) {
	if tr, ok := t.Get(outTradeNo); ok {
		t.send(tr, nil)
	}
}

// NotifyRefund does the same for a refund.
func (t *Till) NotifyRefund(outTradeNo, no string) {
	tr, ok := t.Get(outTradeNo)
	r, found := tr.Find(no)
	if ok && found && r.NotifyURL != "" {
		t.send(tr, &r)
	}
}

func (t *Till) send(tr Trade, r *Refund) {
	t.mu.Lock()
	f := t.faults
	if f.LostNotice {
		t.mu.Unlock()
		return
	}
	one := func() {
		if f.LateMS > 0 && !t.wait(t.ctx, time.Duration(f.LateMS)*time.Millisecond) {
			return
		}
		if f.Probe {
			t.once(tr, r, f)
		}
		f := f
		f.Probe = false
		t.untilAcked(tr, r, f)
	}
	ready := []func(){one}
	if f.Reorder {
		// The first waits for the second, which is delivered before it.
		ready = nil
		if t.held = append(t.held, one); len(t.held) == 2 {
			ready, t.held = []func(){t.held[1], t.held[0]}, nil
		}
	}
	t.mu.Unlock()
	for range 1 + f.Duplicates {
		t.run(ready)
	}
}

// run delivers notices one after the other in the background.
func (t *Till) run(all []func()) {
	t.wg.Go(func() {
		for _, one := range all {
			one()
		}
	})
}

func (t *Till) untilAcked(tr Trade, r *Refund, f Faults) {
	for try := 0; ; try++ {
		if t.once(tr, r, f) || try >= len(t.c.Retries) || !t.wait(t.ctx, t.c.Retries[try]) {
			return
		}
	}
}

// once delivers one notice; true if the merchant acknowledged it.
func (t *Till) once(tr Trade, r *Refund, f Faults) bool {
	ctx, cancel := context.WithTimeout(t.ctx, 10*time.Second)
	defer cancel()
	req, err := t.c.Protocol.Notice(tr, r, f)
	if err != nil {
		t.c.Log.Error("making a notice", "error", err)
		return true
	}
	resp, err := t.c.Client.Do(req.WithContext(ctx))
	if err != nil {
		t.c.Log.Debug("notice not delivered", "trade", tr.OutTradeNo)
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	acked := err == nil && t.c.Protocol.Acked(resp.StatusCode, string(body))
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr, ok := t.trades[tr.OutTradeNo]; ok {
		tr.Notices++
		tr.Acked = tr.Acked || acked
	}
	return acked
}

// Wrong is the amount that a notice bears.
func (f Faults) Wrong(fen int64) int64 {
	if f.WrongAmount {
		return fen + 1
	}
	return fen
}

// Post makes a notice's request.
func Post(url, kind string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, url, body)
	if err == nil {
		req.Header.Set("Content-Type", kind)
	}
	return req, err
}
