package epay

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
)

var page = template.Must(template.New("cashier").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>收银台（模拟） Cashier (simulated)</title></head>
<body>
<h1>收银台（模拟） Cashier (simulated)</h1>
<p>这里不会收取任何款项。 No money is taken here.</p>
<dl><dt>商品 Item</dt><dd>{{.Name}}</dd><dt>订单号 Order number</dt><dd>{{.OutTradeNo}}</dd>
<dt>金额 Amount</dt><dd id="amount">¥ {{.Money}}</dd></dl>
{{if .Paid}}<p id="paid">已支付 Paid</p>{{else}}
<form method="post" action="/cashier/pay"><input type="hidden" name="trade" value="{{.TradeNo}}"><button id="pay" type="submit">支付 Pay</button></form>
<form method="post" action="/cashier/cancel"><input type="hidden" name="trade" value="{{.TradeNo}}"><button id="cancel" type="submit">取消 Cancel</button></form>
{{end}}</body></html>
`))

// submit takes the merchant's form from the browser and shows the cashier.
func (s *Simulator) submit(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "参数错误", http.StatusBadRequest)
		return
	}
	params := map[string]string{}
	for name, v := range r.Form {
		params[name] = v[0]
	}
	if params["pid"] != s.c.PID || !s.signed(params) {
		http.Error(w, "签名校验失败", http.StatusForbidden)
		return
	}
	t, ok := s.open(params)
	if !ok {
		http.Error(w, "参数错误", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, t); err != nil {
		s.c.Log.Warn("writing the cashier page", "error", err)
	}
}

// open returns the trade of the number, making it when it is new. The same
// number with another amount is refused.
func (s *Simulator) open(p map[string]string) (Trade, bool) {
	amount, ok := fen(p["money"])
	if !ok || amount == 0 || p["out_trade_no"] == "" || !isURL(p["notify_url"]) || !isURL(p["return_url"]) || p["name"] == "" {
		return Trade{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, known := s.trades[p["out_trade_no"]]; known {
		return *t, t.Money == yuan(amount)
	}
	t := &Trade{
		TradeNo: s.newTradeNo(), OutTradeNo: p["out_trade_no"], Type: p["type"], Name: p["name"], Money: yuan(amount),
		notifyURL: p["notify_url"], returnURL: p["return_url"], added: s.c.Now(),
	}
	s.trades[t.OutTradeNo] = t
	return *t, true
}

func (s *Simulator) cashierPay(w http.ResponseWriter, r *http.Request) {
	t, ok := s.Pay(s.outTradeNo(r.FormValue("trade")))
	if !ok {
		http.Error(w, "订单不存在", http.StatusNotFound)
		return
	}
	if s.Faults().TimeoutAfterCommit {
		hangUp(w)
		return
	}
	params := s.result(t)
	http.Redirect(w, r, withQuery(t.returnURL, params), http.StatusSeeOther)
}

func (s *Simulator) cashierCancel(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	t, ok := s.trades[s.outTradeNoLocked(r.FormValue("trade"))]
	s.mu.Unlock()
	if !ok {
		http.Error(w, "订单不存在", http.StatusNotFound)
		return
	}
	http.Redirect(w, r, t.returnURL, http.StatusSeeOther)
}

func (s *Simulator) outTradeNo(tradeNo string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outTradeNoLocked(tradeNo)
}

func (s *Simulator) outTradeNoLocked(tradeNo string) string {
	for out, t := range s.trades {
		if t.TradeNo == tradeNo {
			return out
		}
	}
	return ""
}

// Pay pays a trade as a customer does at the cashier, and starts its notices.
// A paid trade stays as it is.
func (s *Simulator) Pay(outTradeNo string) (Trade, bool) {
	s.mu.Lock()
	t, ok := s.trades[outTradeNo]
	if !ok {
		s.mu.Unlock()
		return Trade{}, false
	}
	fresh := !t.Paid
	if fresh {
		t.Paid, t.ended = true, s.c.Now()
	}
	paid := *t
	s.mu.Unlock()
	if fresh {
		s.Notify(outTradeNo)
	}
	return paid, true
}

// result is what notices and returns say, signed.
func (s *Simulator) result(t Trade) map[string]string {
	p := map[string]string{
		"pid": s.c.PID, "trade_no": t.TradeNo, "out_trade_no": t.OutTradeNo, "type": t.Type, "name": t.Name,
		"money": t.Money, "trade_status": "TRADE_SUCCESS",
	}
	p["sign"], p["sign_type"] = s.Sign(p), "MD5"
	return p
}

func withQuery(address string, params map[string]string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	for k, v := range params {
		q.Set(k, v)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// fen reads yuan with at most two decimals.
func fen(s string) (int64, bool) {
	whole, frac := s, ""
	for i := range len(s) {
		if s[i] == '.' {
			whole, frac = s[:i], s[i+1:]
			break
		}
	}
	if len(frac) > 2 || whole == "" || len(whole) > 12 {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+(frac + "00")[:2], 10, 63)
	return int64(n), err == nil
}

func yuan(n int64) string {
	s := strconv.FormatInt(n, 10)
	for len(s) < 3 {
		s = "0" + s
	}
	return s[:len(s)-2] + "." + s[len(s)-2:]
}

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }
