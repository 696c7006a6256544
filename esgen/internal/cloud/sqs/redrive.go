package sqs

import (
	"container/list"

	es "github.com/esgen/esgen/runtime"
)

// bury moves a message that has become visible to the dead letter queue if it was received often enough.
func (q *Queue) bury(e *list.Element) {
	m := e.Value.(*message)
	if q.dead == nil || m.receives < q.config.Redrive.MaxReceiveCount {
		return
	}
	q.remove(e)
	moved := &message{Outgoing: m.Outgoing, id: m.id, sent: m.sent, source: q.ARN(), receives: m.receives, first: m.first}
	if q.config.FIFO {
		moved.sent = q.service.options.Now() // FIFO queues start the retention anew, standard ones do not
	}
	q.dead.add(moved)
}

// moveTask is a redrive of dead letters. It is over when it was started: moving is instant here.
type moveTask struct {
	handle, source, destination string
	moved, toMove               int
	started                     int64 // milliseconds
	failure                     string
}

// maxTasks is how many tasks are remembered.
const maxTasks = 100

// move takes the messages of a dead letter queue that are not in flight to the destination, or each
// to the queue that it died in.
func (s *Service) move(source, destination string) (moveTask, *Failure) {
	from := s.byARN(source)
	if from == nil {
		return moveTask{}, noResource("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	if !s.takesDeadLetters(from) {
		return moveTask{}, invalid("Source queue must be configured as a Dead Letter Queue.")
	}
	if to := s.byARN(destination); destination != "" && (to == nil || to.config.FIFO != from.config.FIFO) {
		return moveTask{}, noResource("The resource that you specified for the DestinationArn parameter doesn't exist, or is of another kind.")
	}
	now := s.options.Now()
	from.settle(now)
	task := moveTask{handle: es.NewUUID(now).String(), source: source, destination: destination, started: now.UnixMilli()}
	task.toMove = from.messages.Len() - from.inFlight
	for e := from.messages.Front(); e != nil; {
		next, m := e.Next(), e.Value.(*message)
		to := s.byARN(destination)
		if destination == "" {
			to = s.byARN(m.source)
		}
		switch {
		case m.inFlight:
		case to == nil:
			task.failure = "CouldNotDetermineMessageSource"
		default:
			from.remove(e)
			// What is redriven is a new message to SQS. It is sent although its deduplication id may be remembered.
			to.add(&message{Outgoing: m.Outgoing, id: es.NewUUID(now).String(), sent: now})
			task.moved++
		}
		e = next
	}
	s.tasks = append(s.tasks, task)
	s.tasks = s.tasks[max(0, len(s.tasks)-maxTasks):]
	return task, nil
}

func (s *Service) takesDeadLetters(q *Queue) bool {
	for _, other := range s.queues {
		if other.dead == q {
			return true
		}
	}
	return false
}

func noResource(message string) *Failure {
	return &Failure{Code: "ResourceNotFoundException", Message: message, Status: 404}
}
