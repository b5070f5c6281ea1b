package epay

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"sort"
	"strconv"
	"time"
)

type reply map[string]any

var refusedKey = reply{"code": -3, "msg": "商户密钥错误"}

// api is the merchant's management interface.
func (s *Simulator) api(w http.ResponseWriter, r *http.Request) {
	f := s.Faults()
	if f.Fail500 {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	out := s.answer(r)
	if f.TimeoutAfterCommit {
		hangUp(w)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	text, err := json.Marshal(out)
	if err == nil && f.Bill == "truncated" && r.FormValue("act") == "orders" {
		text = text[:len(text)/2]
	}
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		s.c.Log.Warn("writing an answer", "error", err)
	}
}

func (s *Simulator) answer(r *http.Request) reply {
	key := subtle.ConstantTimeCompare([]byte(r.FormValue("key")), []byte(s.c.Key)) == 1
	if r.FormValue("pid") != s.c.PID || !key {
		return refusedKey
	}
	switch act := r.FormValue("act"); {
	case act == "order":
		return s.order(r)
	case act == "orders":
		return s.orders(r)
	case act == "refund" && r.Method == http.MethodPost:
		return s.refund(r)
	case act == "query":
		return reply{"code": 1, "pid": s.c.PID, "active": 1, "orders": len(s.Trades())}
	}
	return reply{"code": -1, "msg": "No Act!"}
}

// findLocked finds a trade by either number.
func (s *Simulator) findLocked(r *http.Request) (*Trade, bool) {
	if no := r.FormValue("trade_no"); no != "" {
		t, ok := s.trades[s.outTradeNoLocked(no)]
		return t, ok
	}
	t, ok := s.trades[r.FormValue("out_trade_no")]
	return t, ok
}

func (s *Simulator) order(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.findLocked(r)
	if !ok {
		return reply{"code": -1, "msg": "订单号不存在"}
	}
	out := s.row(*t)
	out["code"], out["msg"] = 1, "查询订单号成功！"
	return out
}

var beijing = time.FixedZone("CST", 8*3600)

// row describes a trade. The family answers numbers as strings here and there.
func (s *Simulator) row(t Trade) reply {
	status, ended := 0, ""
	if t.Paid {
		status, ended = 1, t.ended.In(beijing).Format(time.DateTime)
	}
	return reply{
		"trade_no": t.TradeNo, "out_trade_no": t.OutTradeNo, "type": t.Type, "pid": s.c.PID, "name": t.Name, "money": t.Money,
		"status": strconv.Itoa(status), "addtime": t.added.In(beijing).Format(time.DateTime), "endtime": ended,
		"buyer": "buyer@example.com", "param": nil,
	}
}

func (s *Simulator) orders(r *http.Request) reply {
	limit, page := number(r.FormValue("limit"), 20, 50), number(r.FormValue("page"), 1, 1<<20)
	all := s.billed()
	sort.SliceStable(all, func(i, j int) bool { return all[i].added.After(all[j].added) })
	from := min((page-1)*limit, len(all))
	rows := []reply{}
	for _, t := range all[from:min(from+limit, len(all))] {
		rows = append(rows, s.row(t))
	}
	return reply{"code": 1, "msg": "查询订单记录成功！", "data": rows}
}

// billed returns trades as the list tells them: the fault Bill is planted on the
// first that was paid.
func (s *Simulator) billed() []Trade {
	all := s.Trades()
	for i, t := range all {
		if !t.Paid {
			continue
		}
		switch s.Faults().Bill {
		case "missing":
			return append(all[:i:i], all[i+1:]...)
		case "double":
			return append(all, t)
		case "amount":
			paid, _ := fen(t.Money)
			all[i].Money = yuan(paid + 1)
		}
		break
	}
	return all
}

// refund has no idempotency key, as in the real protocol: a repeated call
// refunds again, up to what was paid.
func (s *Simulator) refund(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.findLocked(r)
	amount, valid := fen(r.FormValue("money"))
	if !ok || !t.Paid || !valid || amount == 0 {
		return reply{"code": -1, "msg": "退款失败"}
	}
	paid, _ := fen(t.Money)
	before, _ := fen("0" + t.Refunded)
	if before+amount > paid {
		return reply{"code": -1, "msg": "退款金额超出"}
	}
	t.Refunded = yuan(before + amount)
	return reply{"code": 0, "msg": "退款成功"}
}

func number(s string, unset, most int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return unset
	}
	return min(n, most)
}

// control is for tests: GET and POST /control/faults (the JSON of Faults),
// POST /control/pay?out_trade_no=, POST /control/notify?out_trade_no=,
// GET /control/trades.
func (s *Simulator) control(w http.ResponseWriter, r *http.Request) {
	no := r.URL.Query().Get("out_trade_no")
	var out any = reply{"ok": true}
	switch r.Method + " " + r.URL.Path {
	case "GET /control/faults":
		out = s.Faults()
	case "POST /control/faults":
		var f Faults
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			http.Error(w, "unknown fault", http.StatusBadRequest)
			return
		}
		s.SetFaults(f)
		out = f
	case "POST /control/pay":
		t, ok := s.Pay(no)
		if !ok {
			http.NotFound(w, r)
			return
		}
		out = t
	case "POST /control/notify":
		s.Notify(no)
	case "GET /control/trades":
		out = s.Trades()
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.c.Log.Warn("writing an answer", "error", err)
	}
}
