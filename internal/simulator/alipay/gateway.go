package alipay

import (
	"archive/zip"
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/skybridge-cloud/skybridge/internal/simulator/till"
)

// gateway answers every method of the platform.
func (s *Simulator) gateway(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	p, c, why := s.requested(r)
	if why != "" { // an unsigned error
		w.Header().Set("Content-Type", "text/html;charset=utf-8")
		_, _ = w.Write([]byte(`{"error_response":{"code":"40002","msg":"Invalid Arguments","sub_code":"` + why + `"}}`))
		return
	}
	method := p["method"]
	var a map[string]string
	switch method {
	case "alipay.trade.page.pay", "alipay.trade.wap.pay":
		s.page(w, p, c)
		return
	case "alipay.trade.precreate":
		a = s.precreate(p, c)
	case "alipay.trade.query":
		a = s.query(c)
	case "alipay.trade.close":
		a = s.end(c)
	case "alipay.trade.refund":
		a = s.refund(c)
	case "alipay.trade.fastpay.refund.query":
		a = s.refundQuery(c)
	case "alipay.data.dataservice.bill.downloadurl.query":
		a = s.bill(c)
	default:
		a = refused("isv.invalid-method")
	}
	s.Answered()
	s.reply(w, method, a)
}

func ok(more map[string]string) map[string]string {
	a := map[string]string{"code": "10000", "msg": "Success"}
	for n, v := range more {
		a[n] = v
	}
	return a
}

func refused(sub string) map[string]string {
	return map[string]string{"code": "40004", "msg": "Business Failed", "sub_code": sub, "sub_msg": "业务处理失败"}
}

// code maps what the till refuses.
func code(err error) map[string]string {
	switch {
	case errors.Is(err, till.ErrAbsent):
		return refused("ACQ.TRADE_NOT_EXIST")
	case errors.Is(err, till.ErrPaid):
		return refused("ACQ.TRADE_HAS_SUCCESS")
	case errors.Is(err, till.ErrClosed):
		return refused("ACQ.TRADE_HAS_CLOSE")
	case errors.Is(err, till.ErrDiffers):
		return refused("ACQ.CONTEXT_INCONSISTENT")
	case errors.Is(err, till.ErrExcess):
		return refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
	}
	return refused("ACQ.TRADE_STATUS_ERROR")
}

func (s *Simulator) trade(p, c map[string]string) (till.Trade, bool) {
	fen, ok := till.Fen(c["total_amount"])
	expire, err := time.ParseInLocation(time.DateTime, c["time_expire"], beijing)
	t := till.Trade{
		OutTradeNo: c["out_trade_no"], Method: p["method"], Subject: c["subject"], Fen: fen,
		NotifyURL: p["notify_url"], ReturnURL: p["return_url"], Expire: expire,
	}
	return t, ok && fen > 0 && err == nil && t.OutTradeNo != "" && t.Subject != "" && p["notify_url"] != ""
}

// page shows the cashier to a browser that came with a signed address.
func (s *Simulator) page(w http.ResponseWriter, p, c map[string]string) {
	product := map[string]string{"alipay.trade.page.pay": "FAST_INSTANT_TRADE_PAY", "alipay.trade.wap.pay": "QUICK_WAP_WAY"}[p["method"]]
	t, fine := s.trade(p, c)
	if !fine || c["product_code"] != product {
		http.Error(w, "参数错误", http.StatusBadRequest)
		return
	}
	t.Scanned = true
	opened, err := s.Open(t)
	if err != nil && !errors.Is(err, till.ErrPaid) {
		http.Error(w, "交易信息被篡改或已关闭", http.StatusBadRequest)
		return
	}
	s.Show(w, opened)
}

// precreate hands out a code; the trade is unknown to questions until somebody
// scans it.
func (s *Simulator) precreate(p, c map[string]string) map[string]string {
	t, fine := s.trade(p, c)
	if !fine {
		return refused("ACQ.INVALID_PARAMETER")
	}
	t.ReturnURL = ""
	t.Code = "https://qr.alipay.com/sim" + t.OutTradeNo
	if s.c.BaseURL != "" {
		t.Code = s.c.BaseURL + "/cashier?code=" + t.OutTradeNo
	}
	opened, err := s.Open(t)
	if err != nil {
		return code(err)
	}
	return ok(map[string]string{"out_trade_no": opened.OutTradeNo, "qr_code": opened.Code})
}

func (s *Simulator) query(c map[string]string) map[string]string {
	t, known := s.Get(c["out_trade_no"])
	if !known || !t.Scanned {
		return refused("ACQ.TRADE_NOT_EXIST")
	}
	status := map[string]string{"waiting": "WAIT_BUYER_PAY", "paid": "TRADE_SUCCESS", "closed": "TRADE_CLOSED"}[t.State]
	if t.State == "paid" && t.Refunded() == t.Fen {
		status = "TRADE_CLOSED"
	}
	a := map[string]string{
		"trade_no": t.TradeNo, "out_trade_no": t.OutTradeNo, "trade_status": status, "total_amount": till.Yuan(t.Fen),
		"buyer_user_id": "2088000000000001", "buyer_logon_id": "pay***@example.com",
	}
	if t.State == "paid" {
		a["send_pay_date"] = t.Ended.In(beijing).Format(time.DateTime)
	}
	return ok(a)
}

func (s *Simulator) end(c map[string]string) map[string]string {
	t, known := s.Get(c["out_trade_no"])
	if !known || !t.Scanned { // the code works no more, though the trade was never there
		_ = s.End(c["out_trade_no"])
		return refused("ACQ.TRADE_NOT_EXIST")
	}
	if err := s.End(t.OutTradeNo); err != nil {
		return refused("ACQ.TRADE_STATUS_ERROR")
	}
	return ok(map[string]string{"out_trade_no": t.OutTradeNo, "trade_no": t.TradeNo})
}

func (s *Simulator) refund(c map[string]string) map[string]string {
	fen, fine := till.Fen(c["refund_amount"])
	if !fine || c["out_request_no"] == "" {
		return refused("ACQ.INVALID_PARAMETER")
	}
	r, moved, err := s.PayBack(c["out_trade_no"], till.Refund{No: c["out_request_no"], Fen: fen})
	if err != nil {
		return code(err)
	}
	t, _ := s.Get(c["out_trade_no"])
	a := map[string]string{
		"trade_no": t.TradeNo, "out_trade_no": t.OutTradeNo, "buyer_logon_id": "pay***@example.com", "fund_change": "N",
		"refund_fee": till.Yuan(t.Refunded()),
	}
	if moved {
		a["fund_change"], a["gmt_refund_pay"] = "Y", r.At.In(beijing).Format(time.DateTime)
		s.Notify(t.OutTradeNo)
	}
	return ok(a)
}

// refundQuery answers with nothing for a refund that is not there.
func (s *Simulator) refundQuery(c map[string]string) map[string]string {
	t, known := s.Get(c["out_trade_no"])
	if !known {
		return refused("TRADE_NOT_EXIST")
	}
	r, found := t.Find(c["out_request_no"])
	if !found {
		return ok(nil)
	}
	a := map[string]string{
		"trade_no": t.TradeNo, "out_trade_no": t.OutTradeNo, "out_request_no": r.No, "refund_amount": till.Yuan(r.Fen), "total_amount": till.Yuan(t.Fen),
	}
	if r.State == "success" {
		a["refund_status"], a["gmt_refund_pay"] = "REFUND_SUCCESS", r.At.In(beijing).Format(time.DateTime)
	}
	return ok(a)
}

func (s *Simulator) bill(c map[string]string) map[string]string {
	_, err := time.Parse(time.DateOnly, c["bill_date"])
	if err != nil || c["bill_type"] != "trade" || c["bill_date"] >= s.Now().In(beijing).Format(time.DateOnly) || s.Faults().Bill == "late" {
		return refused("isp.bill_not_exist")
	}
	q := url.Values{"bizType": {"trade"}, "userId": {s.c.SellerID}, "fileType": {"csv.zip"}, "bizDates": {c["bill_date"]}, "fileId": {"f1"}}
	return ok(map[string]string{"bill_download_url": "http://dwbillcenter.alipay.com/downloadBillFile.resource?" + q.Encode()})
}

func (s *Simulator) billFile(w http.ResponseWriter, r *http.Request) {
	day, err := time.ParseInLocation(time.DateOnly, r.FormValue("bizDates"), beijing)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	_, _ = w.Write(s.Spoil(s.archive(day)))
}

// archive is the bill of a day as Alipay packs it: the sums, and the list of
// trades, both in GBK.
func (s *Simulator) archive(day time.Time) []byte {
	var list strings.Builder
	list.WriteString("#支付宝业务明细查询\n#账号：[" + s.c.SellerID + "]\n#-----------------------------------------业务明细列表----------------------------------------\n")
	list.WriteString("支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\n")
	row := func(t till.Trade, kind, fen, no, fee string, at time.Time) {
		done := at.In(beijing).Format(time.DateTime)
		list.WriteString(strings.Join([]string{
			t.TradeNo + "\t", t.OutTradeNo + "\t", kind, t.Subject, t.Added.In(beijing).Format(time.DateTime), done, "", "", "", "",
			"支付人(pay***@example.com)", fen, fen, no, fee, "0.00", "",
		}, ",") + "\n")
	}
	for _, t := range s.Billed() {
		if t.State == "paid" && same(t.Ended, day) {
			row(t, "交易", till.Yuan(t.Fen), "", "-"+till.Yuan(t.Fen*6/1000), t.Ended)
		}
		for _, r := range t.Refunds {
			if r.State == "success" && same(r.At, day) {
				row(t, "退款", "-"+till.Yuan(r.Fen), r.No, "0.00", r.At)
			}
		}
	}
	list.WriteString("#-----------------------------------------业务明细列表结束------------------------------------\n")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct{ name, text string }{
		{"sums.csv", "#支付宝业务汇总查询\n门店编号,门店名称,交易订单总笔数,退款订单总笔数\n,合计,1,0\n"}, {"trades.csv", list.String()},
	} {
		text, err := simplifiedchinese.GBK.NewEncoder().String(f.text)
		if err != nil {
			panic(err)
		}
		w, err := z.Create(f.name)
		if err != nil {
			panic(err)
		}
		_, _ = w.Write([]byte(text))
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func same(t, day time.Time) bool {
	return t.In(beijing).Format(time.DateOnly) == day.Format(time.DateOnly)
}
