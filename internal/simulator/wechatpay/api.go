package wechatpay

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/simulator/till"
)

type object = map[string]any

func (s *Simulator) native(_ *http.Request, body []byte) (any, error) {
	var in struct {
		AppID, MchID, Description string
		OutTradeNo                string `json:"out_trade_no"`
		TimeExpire                string `json:"time_expire"`
		NotifyURL                 string `json:"notify_url"`
		Amount                    struct {
			Total    int64
			Currency string
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, refusal{400, "PARAM_ERROR"}
	}
	expire, err := time.Parse(time.RFC3339, in.TimeExpire)
	if in.AppID != s.c.AppID || in.MchID != s.c.MchID || in.Description == "" || in.Amount.Total < 1 || in.Amount.Currency != "CNY" ||
		err != nil || in.NotifyURL == "" || strings.Contains(in.NotifyURL, "?") || len(in.OutTradeNo) < 6 || len(in.OutTradeNo) > 32 {
		return nil, refusal{400, "PARAM_ERROR"}
	}
	t, err := s.Open(till.Trade{
		OutTradeNo: in.OutTradeNo, Method: "native", Subject: in.Description, Fen: in.Amount.Total, NotifyURL: in.NotifyURL, Expire: expire,
		Code: "weixin://wxpay/bizpayurl?pr=" + in.OutTradeNo,
	})
	switch {
	case errors.Is(err, till.ErrPaid):
		return nil, refusal{400, "ORDERPAID"}
	case errors.Is(err, till.ErrClosed):
		return nil, refusal{400, "ORDER_CLOSED"}
	case err != nil:
		return nil, refusal{403, "OUT_TRADE_NO_USED"}
	}
	return object{"code_url": t.Code}, nil
}

// transaction says what WeChat Pay says of a trade, with the payer.
func (s *Simulator) transaction(t till.Trade, fen int64) object {
	state := map[string]string{"waiting": "NOTPAY", "paid": "SUCCESS", "closed": "CLOSED"}[t.State]
	if len(t.Refunds) > 0 {
		state = "REFUND"
	}
	o := object{
		"appid": s.c.AppID, "mchid": s.c.MchID, "out_trade_no": t.OutTradeNo, "trade_state": state, "trade_state_desc": "",
		"amount": object{"total": fen, "payer_total": max(t.Fen-1, 0), "currency": "CNY", "payer_currency": "CNY"},
	}
	if t.State == "paid" {
		o["transaction_id"], o["trade_type"], o["success_time"] = t.TradeNo, "NATIVE", t.Ended.In(beijing).Format(time.RFC3339)
		o["payer"] = object{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
		o["bank_type"] = "OTHERS"
	}
	return o
}

func (s *Simulator) query(r *http.Request, _ []byte) (any, error) {
	t, ok := s.Get(r.PathValue("no"))
	if r.FormValue("mchid") != s.c.MchID {
		return nil, refusal{400, "PARAM_ERROR"}
	}
	if !ok {
		return nil, refusal{404, "ORDER_NOT_EXIST"}
	}
	return s.transaction(t, t.Fen), nil
}

func (s *Simulator) end(r *http.Request, body []byte) (any, error) {
	var in struct{ MchID string }
	if json.Unmarshal(body, &in) != nil || in.MchID != s.c.MchID {
		return nil, refusal{400, "PARAM_ERROR"}
	}
	switch err := s.End(r.PathValue("no")); {
	case errors.Is(err, till.ErrPaid):
		return nil, refusal{400, "ORDERPAID"}
	case err != nil:
		return nil, refusal{404, "ORDER_NOT_EXIST"}
	}
	return nil, nil
}

func (s *Simulator) refund(_ *http.Request, body []byte) (any, error) {
	var in struct {
		OutTradeNo  string `json:"out_trade_no"`
		OutRefundNo string `json:"out_refund_no"`
		NotifyURL   string `json:"notify_url"`
		Amount      struct {
			Refund, Total int64
			Currency      string
		}
	}
	if json.Unmarshal(body, &in) != nil || in.OutRefundNo == "" {
		return nil, refusal{400, "PARAM_ERROR"}
	}
	t, ok := s.Get(in.OutTradeNo)
	if ok && in.Amount.Total != t.Fen {
		return nil, refusal{400, "INVALID_REQUEST"}
	}
	back, moved, err := s.PayBack(in.OutTradeNo, till.Refund{No: in.OutRefundNo, Fen: in.Amount.Refund, NotifyURL: in.NotifyURL})
	switch {
	case errors.Is(err, till.ErrAbsent):
		return nil, refusal{404, "RESOURCE_NOT_EXISTS"}
	case errors.Is(err, till.ErrExcess):
		return nil, refusal{403, "NOT_ENOUGH"}
	case err != nil:
		return nil, refusal{400, "INVALID_REQUEST"}
	}
	if moved {
		s.NotifyRefund(in.OutTradeNo, in.OutRefundNo)
	}
	t, _ = s.Get(in.OutTradeNo)
	return s.refunded(t, back, "status"), nil
}

func (s *Simulator) refunded(t till.Trade, r till.Refund, state string) object {
	o := object{
		"mchid": s.c.MchID, "out_trade_no": t.OutTradeNo, "transaction_id": t.TradeNo, "out_refund_no": r.No, "refund_id": r.ID,
		state: strings.ToUpper(r.State), "user_received_account": "招商银行信用卡0403",
		"amount": object{"total": t.Fen, "refund": r.Fen, "payer_total": t.Fen, "payer_refund": r.Fen, "currency": "CNY"},
	}
	if r.State == "success" {
		o["success_time"] = r.At.In(beijing).Format(time.RFC3339)
	}
	return o
}

func (s *Simulator) refundQuery(r *http.Request, _ []byte) (any, error) {
	for _, t := range s.Trades() {
		if back, ok := t.Find(r.PathValue("no")); ok {
			return s.refunded(t, back, "status"), nil
		}
	}
	return nil, refusal{404, "RESOURCE_NOT_EXISTS"}
}

func (s *Simulator) certificates(*http.Request, []byte) (any, error) {
	s.mu.Lock()
	text, serial := s.PEM, s.serial
	s.mu.Unlock()
	return object{"data": []object{{
		"serial_no": serial, "effective_time": "2026-01-01T00:00:00+08:00", "expire_time": "2031-01-01T00:00:00+08:00",
		"encrypt_certificate": s.seal([]byte(text), "certificate", 12),
	}}}, nil
}

func (s *Simulator) bill(r *http.Request, _ []byte) (any, error) {
	date := r.FormValue("bill_date")
	day, err := time.ParseInLocation(time.DateOnly, date, beijing)
	if err != nil || r.FormValue("bill_type") != "ALL" {
		return nil, refusal{400, "PARAM_ERROR"}
	}
	if date >= s.Now().In(beijing).Format(time.DateOnly) {
		return nil, refusal{400, "NO_STATEMENT_EXIST"}
	}
	if s.Faults().Bill == "late" {
		return nil, refusal{400, "STATEMENT_CREATING"}
	}
	file := s.rows(day)
	sum := sha1.Sum(file)
	token := s.random(12)
	s.mu.Lock()
	if r.FormValue("tar_type") == "GZIP" { // the digest is of what is in it
		file = packed(file)
	}
	s.bills[token] = s.Spoil(file)
	s.mu.Unlock()
	return object{"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]), "download_url": "https://" + r.Host + "/v3/billdownload/file?token=" + token}, nil
}

func packed(file []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(file)
	if err = errors.Join(err, z.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (s *Simulator) billFile(r *http.Request, _ []byte) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, ok := s.bills[r.FormValue("token")]
	if !ok {
		return nil, refusal{400, "INVALID_REQUEST"}
	}
	return file, nil
}

// refundState is what a bill says of a refund that succeeded; of a payment nothing.
func refundState(no string) string {
	if no == "0" {
		return ""
	}
	return "SUCCESS"
}

// rows is the bill of a day: lines whose cells begin with a backtick, then the
// sums.
func (s *Simulator) rows(day time.Time) []byte {
	var b strings.Builder
	b.WriteString("\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n")
	n := 0
	row := func(t till.Trade, at time.Time, state, refundID, refundNo string, paid, back int64, fee string) {
		n++
		cells := []string{
			at.In(beijing).Format(time.DateTime), s.c.AppID, s.c.MchID, "0", "", t.TradeNo, t.OutTradeNo, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "NATIVE", state, "OTHERS", "CNY",
			till.Yuan(paid), "0.00", refundID, refundNo, till.Yuan(back), "0.00", "", refundState(refundNo), t.Subject, "", fee, "0.60%", till.Yuan(paid), till.Yuan(back), "",
		}
		b.WriteString("`" + strings.Join(cells, ",`") + "\r\n")
	}
	same := func(at time.Time) bool { return at.In(beijing).Format(time.DateOnly) == day.Format(time.DateOnly) }
	for _, t := range s.Billed() {
		if t.State == "paid" && same(t.Ended) {
			row(t, t.Ended, "SUCCESS", "0", "0", t.Fen, 0, till.Yuan(t.Fen*6/1000)+"000")
		}
		for _, r := range t.Refunds {
			if r.State == "success" && same(r.At) {
				row(t, r.At, "REFUND", r.ID, r.No, 0, r.Fen, "-0.00000")
			}
		}
	}
	b.WriteString("总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`" + strconv.Itoa(n) + ",`0.00,`0.00,`0.00,`0.00,`0.00,`0.00\r\n")
	return []byte(b.String())
}
