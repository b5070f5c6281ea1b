package till

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

var page = template.Must(template.New("cashier").Parse(`<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body>
<h1>{{.Title}}</h1>
<p>这里不会收取任何款项。 No money is taken here.</p>
{{range .Trades}}<section>
<dl><dt>商品 Item</dt><dd>{{.Subject}}</dd><dt>订单号 Order number</dt><dd>{{.OutTradeNo}}</dd>
<dt>金额 Amount</dt><dd id="amount">¥ {{.Yuan}}</dd></dl>
{{if eq .State "paid"}}<p id="paid">已支付 Paid</p>{{else if eq .State "closed"}}<p id="closed">已关闭 Closed</p>{{else}}
<form method="post" action="/cashier/pay"><input type="hidden" name="trade" value="{{.TradeNo}}"><button id="pay" type="submit">支付 Pay</button></form>
<form method="post" action="/cashier/cancel"><input type="hidden" name="trade" value="{{.TradeNo}}"><button id="cancel" type="submit">取消 Cancel</button></form>
{{end}}</section>{{else}}<p>没有待付的交易。 Nothing waits to be paid.</p>{{end}}
</body></html>
`))

// Yuan is the amount, for the page.
func (t Trade) Yuan() string { return Yuan(t.Fen) }

// Show writes the cashier's page with one trade.
func (t *Till) Show(w http.ResponseWriter, trades ...Trade) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := page.Execute(w, struct {
		Title  string
		Trades []Trade
	}{t.c.Title, trades})
	if err != nil {
		t.c.Log.Warn("writing the cashier page", "error", err)
	}
}

// cashier is the payer's telephone: it shows the trade whose code or number it is
// given, ?code=, or all that wait.
func (t *Till) cashier(w http.ResponseWriter, r *http.Request) {
	code := r.FormValue("code")
	var some []Trade
	for _, tr := range t.Trades() {
		if code != "" && (tr.Code == code || tr.OutTradeNo == code) || code == "" && tr.State == "waiting" {
			t.Scan(tr.OutTradeNo)
			some = append(some, tr)
		}
	}
	t.Show(w, some...)
}

func (t *Till) cashierPay(w http.ResponseWriter, r *http.Request) {
	tr, err := t.Pay(t.outTradeNo(r.FormValue("trade")))
	if err != nil {
		http.Error(w, "订单不存在", http.StatusNotFound)
		return
	}
	t.Answered()
	t.back(w, r, tr)
}

func (t *Till) cashierCancel(w http.ResponseWriter, r *http.Request) {
	tr, ok := t.Get(t.outTradeNo(r.FormValue("trade")))
	if !ok {
		http.Error(w, "订单不存在", http.StatusNotFound)
		return
	}
	t.back(w, r, tr)
}

// back sends a browser where it came from; a telephone stays.
func (t *Till) back(w http.ResponseWriter, r *http.Request, tr Trade) {
	if tr.ReturnURL == "" {
		t.Show(w, tr)
		return
	}
	http.Redirect(w, r, tr.ReturnURL, http.StatusSeeOther)
}

func (t *Till) outTradeNo(tradeNo string) string {
	for _, tr := range t.Trades() {
		if tr.TradeNo == tradeNo {
			return tr.OutTradeNo
		}
	}
	return ""
}

// control is for tests: GET and POST /control/faults (the JSON of Faults), POST
// /control/pay, /control/notify and /control/close ?out_trade_no=, GET
// /control/trades.
func (t *Till) control(w http.ResponseWriter, r *http.Request) {
	no := r.URL.Query().Get("out_trade_no")
	var out any = map[string]bool{"ok": true}
	var err error
	switch r.Method + " " + r.URL.Path {
	case "GET /control/faults":
		out = t.Faults()
	case "POST /control/faults":
		var f Faults
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			http.Error(w, "unknown fault", http.StatusBadRequest)
			return
		}
		t.SetFaults(f)
	case "POST /control/pay":
		out, err = t.Pay(no)
	case "POST /control/close":
		err = t.End(no)
	case "POST /control/notify":
		t.Notify(no)
	case "GET /control/trades":
		out = t.Trades()
	default:
		err = ErrAbsent
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		t.c.Log.Warn("writing an answer", "error", err)
	}
}

// Fen reads yuan with at most two decimals.
func Fen(s string) (int64, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > 2 || whole == "" || len(whole) > 12 {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+(frac + "00")[:2], 10, 63)
	return int64(n), err == nil
}

// Yuan writes fen as yuan with two decimals.
func Yuan(n int64) string {
	s := strconv.FormatInt(n, 10)
	for len(s) < 3 {
		s = "0" + s
	}
	return s[:len(s)-2] + "." + s[len(s)-2:]
}
