package lambda

import (
	"errors"
	"strconv"

	"github.com/esgen/esgen/runtime/scan"
)

// queueMessage is a message as a queue delivers it.
type queueMessage struct {
	id, group, body string
	received        int // so often, this time included; 0 if that is not told
}

// lastReceipt is how often a queue delivers a message; then it gives it up. The stack sets it.
const lastReceipt = 5

var errNoQueue = errors.New("lambda: what was delivered is no batch of a queue")

// readQueue reads a batch of a queue. A message without an id stands for the whole batch when it
// fails, as Lambda takes it.
func readQueue(event []byte) ([]queueMessage, error) {
	s := scan.Scanner{Text: string(event)}
	var messages []queueMessage
	m := s.Members()
	for m.Next() {
		if m.Name != "Records" {
			if !s.Skip() {
				return nil, errNoQueue
			}
			continue
		}
		e := s.Elements()
		for e.Next() {
			message := queueMessage{}
			if !message.read(&s) {
				return nil, errNoQueue
			}
			messages = append(messages, message)
		}
		if !e.Whole() {
			return nil, errNoQueue
		}
	}
	if !m.Whole() || !s.End() {
		return nil, errNoQueue
	}
	return messages, nil
}

func (q *queueMessage) read(s *scan.Scanner) (ok bool) {
	m := s.Members()
	for m.Next() {
		switch m.Name {
		case "messageId":
			q.id, ok = s.String()
		case "body":
			q.body, ok = s.String()
		case "attributes":
			ok = q.attributes(s)
		default:
			ok = s.Skip()
		}
		if !ok {
			return false
		}
	}
	return m.Whole()
}

func (q *queueMessage) attributes(s *scan.Scanner) (ok bool) {
	m := s.Members()
	for m.Next() {
		switch m.Name {
		case "MessageGroupId":
			q.group, ok = s.String()
		case "ApproximateReceiveCount":
			var text string
			text, ok = s.String()
			q.received, _ = strconv.Atoi(text)
		default:
			ok = s.Skip()
		}
		if !ok {
			return false
		}
	}
	return m.Whole()
}
