import type { Dispatcher } from "undici";

/**
 * Leads to the dispatcher (of which a host may give one that can only dispatch), but asks the signal once more when a connection is there and the request is about to be written. A process
 * that was stopped while it connected goes on with the connection before any timer goes off: its request would go out long after
 * its time, when somebody else has long decided what became of it.
 */
export function punctualDispatcher(dispatcher: Dispatcher, signal: AbortSignal): Dispatcher {
  const dispatch: Dispatcher["dispatch"] = (options, handler) => dispatcher.dispatch(options, punctualHandler(handler, signal));
  return { dispatch } as unknown as Dispatcher;
}

function punctualHandler(handler: Dispatcher.DispatchHandler, signal: AbortSignal): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller, context) {
      if (signal.aborted) controller.abort(new Error("The request was not written: its time was over.", { cause: signal.reason }));
      else handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
    onResponseStart: (...given) => handler.onResponseStart?.(...given),
    onResponseData: (...given) => handler.onResponseData?.(...given),
    onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
    onResponseError: (...given) => handler.onResponseError?.(...given),
  };
}
