// Every name in the scope of a Worker of Chromium 156 and of Firefox 153, and inside of what is kept (globals.ts), that somebody has
// looked at: it is harmless, or worker/scrub.ts takes it away. To add one: say which of the two it is, and see that it is so.

export const knownGlobals: ReadonlySet<string> = new Set(
  `
  AbortController AbortController#abort AbortController#constructor AbortController#signal AbortController.length AbortController.name
  AbortController.prototype AbortSignal AbortSignal#aborted AbortSignal#constructor AbortSignal#onabort AbortSignal#reason
  AbortSignal#throwIfAborted AbortSignal.abort AbortSignal.any AbortSignal.length AbortSignal.name AbortSignal.prototype AbortSignal.timeout
  AggregateError Array ArrayBuffer AsyncDisposableStack Atomics AudioData AudioDecoder AudioEncoder BackgroundFetchManager
  BackgroundFetchRecord BackgroundFetchRegistration BigInt BigInt64Array BigUint64Array Blob Boolean BroadcastChannel
  ByteLengthQueuingStrategy CSSKeywordValue CSSMathClamp CSSMathInvert CSSMathMax CSSMathMin CSSMathNegate CSSMathProduct CSSMathSum
  CSSMathValue CSSNumericArray CSSNumericValue CSSSkewX CSSSkewY CSSStyleValue CSSUnitValue CSSUnparsedValue Cache CacheStorage
  CanvasGradient CanvasPattern CloseEvent CompressionStream CountQueuingStrategy CropTarget Crypto Crypto#constructor Crypto#getRandomValues
  Crypto#randomUUID Crypto#subtle Crypto.length Crypto.name Crypto.prototype CryptoKey CustomEvent DOMException DOMException#ABORT_ERR
  DOMException#DATA_CLONE_ERR DOMException#DOMSTRING_SIZE_ERR DOMException#HIERARCHY_REQUEST_ERR DOMException#INDEX_SIZE_ERR
  DOMException#INUSE_ATTRIBUTE_ERR DOMException#INVALID_ACCESS_ERR DOMException#INVALID_CHARACTER_ERR DOMException#INVALID_MODIFICATION_ERR
  DOMException#INVALID_NODE_TYPE_ERR DOMException#INVALID_STATE_ERR DOMException#NAMESPACE_ERR DOMException#NETWORK_ERR
  DOMException#NOT_FOUND_ERR DOMException#NOT_SUPPORTED_ERR DOMException#NO_DATA_ALLOWED_ERR DOMException#NO_MODIFICATION_ALLOWED_ERR
  DOMException#QUOTA_EXCEEDED_ERR DOMException#SECURITY_ERR DOMException#SYNTAX_ERR DOMException#TIMEOUT_ERR DOMException#TYPE_MISMATCH_ERR
  DOMException#URL_MISMATCH_ERR DOMException#VALIDATION_ERR DOMException#WRONG_DOCUMENT_ERR DOMException#code DOMException#columnNumber
  DOMException#constructor DOMException#filename DOMException#lineNumber DOMException#message DOMException#name DOMException#result
  DOMException#stack DOMException.ABORT_ERR DOMException.DATA_CLONE_ERR DOMException.DOMSTRING_SIZE_ERR DOMException.HIERARCHY_REQUEST_ERR
  DOMException.INDEX_SIZE_ERR DOMException.INUSE_ATTRIBUTE_ERR DOMException.INVALID_ACCESS_ERR DOMException.INVALID_CHARACTER_ERR
  DOMException.INVALID_MODIFICATION_ERR DOMException.INVALID_NODE_TYPE_ERR DOMException.INVALID_STATE_ERR DOMException.NAMESPACE_ERR
  DOMException.NETWORK_ERR DOMException.NOT_FOUND_ERR DOMException.NOT_SUPPORTED_ERR DOMException.NO_DATA_ALLOWED_ERR
  DOMException.NO_MODIFICATION_ALLOWED_ERR DOMException.QUOTA_EXCEEDED_ERR DOMException.SECURITY_ERR DOMException.SYNTAX_ERR
  DOMException.TIMEOUT_ERR DOMException.TYPE_MISMATCH_ERR DOMException.URL_MISMATCH_ERR DOMException.VALIDATION_ERR
  DOMException.WRONG_DOCUMENT_ERR DOMException.length DOMException.name DOMException.prototype DOMMatrix DOMMatrixReadOnly DOMPoint
  DOMPointReadOnly DOMQuad DOMRect DOMRectReadOnly DOMStringList DataView Date DecompressionStream DedicatedWorkerGlobalScope Directory
  DisposableStack EncodedAudioChunk EncodedVideoChunk Error ErrorEvent EvalError Event Event#ALT_MASK Event#AT_TARGET Event#BUBBLING_PHASE
  Event#CAPTURING_PHASE Event#CONTROL_MASK Event#META_MASK Event#NONE Event#SHIFT_MASK Event#bubbles Event#cancelBubble Event#cancelable
  Event#composed Event#composedPath Event#constructor Event#currentTarget Event#defaultPrevented Event#eventPhase
  Event#explicitOriginalTarget Event#initEvent Event#originalTarget Event#preventDefault Event#returnValue Event#srcElement
  Event#stopImmediatePropagation Event#stopPropagation Event#target Event#timeStamp Event#type Event.ALT_MASK Event.AT_TARGET
  Event.BUBBLING_PHASE Event.CAPTURING_PHASE Event.CONTROL_MASK Event.META_MASK Event.NONE Event.SHIFT_MASK Event.length Event.name
  Event.prototype EventSource EventTarget EventTarget#addEventListener EventTarget#constructor EventTarget#dispatchEvent
  EventTarget#removeEventListener EventTarget#when EventTarget.length EventTarget.name EventTarget.prototype File FileList FileReader
  FileReaderSync FileSystemDirectoryHandle FileSystemFileHandle FileSystemHandle FileSystemSyncAccessHandle FileSystemWritableFileStream
  FinalizationRegistry Float16Array Float32Array Float64Array FontFace FontFaceSet FontFaceSetLoadEvent FormData Function Headers IDBCursor
  IDBCursorWithValue IDBDatabase IDBFactory IDBIndex IDBKeyRange IDBObjectStore IDBOpenDBRequest IDBRecord IDBRequest IDBTransaction
  IDBVersionChangeEvent ImageBitmap ImageBitmapRenderingContext ImageData ImageDecoder ImageTrack ImageTrackList Infinity Int16Array
  Int32Array Int8Array InternalError Intl Iterator JSON Lock LockManager Map Math MediaCapabilities MediaSource MediaSourceHandle
  MessageChannel MessageEvent MessagePort NaN NavigationPreloadManager NavigatorUAData NetworkInformation Notification Number Object
  Observable OffscreenCanvas OffscreenCanvasRenderingContext2D Origin PERSISTENT Path2D Performance Performance#clearMarks
  Performance#clearMeasures Performance#clearResourceTimings Performance#constructor Performance#getEntries Performance#getEntriesByName
  Performance#getEntriesByType Performance#mark Performance#measure Performance#now Performance#onresourcetimingbufferfull
  Performance#setResourceTimingBufferSize Performance#timeOrigin Performance#toJSON Performance.length Performance.name
  Performance.prototype PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList
  PerformanceResourceTiming PerformanceServerTiming PeriodicSyncManager PermissionStatus Permissions ProgressEvent Promise
  PromiseRejectionEvent Proxy PushManager PushSubscription PushSubscriptionOptions QuotaExceededError RTCDataChannel RTCEncodedAudioFrame
  RTCEncodedVideoFrame RTCRtpScriptTransformer RTCTransformEvent RangeError ReadableByteStreamController ReadableStream
  ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader ReferenceError Reflect
  RegExp ReportBody ReportingObserver Request Response RestrictionTarget Scheduler SecurityPolicyViolationEvent Serial SerialPort
  ServiceWorker ServiceWorkerContainer ServiceWorkerRegistration Set SourceBuffer SourceBufferList StorageManager String Subscriber
  SubtleCrypto SuppressedError Symbol SyncManager SyntaxError TEMPORARY TaskController TaskPriorityChangeEvent TaskSignal Temporal
  TextDecoder TextDecoder#constructor TextDecoder#decode TextDecoder#encoding TextDecoder#fatal TextDecoder#ignoreBOM TextDecoder.length
  TextDecoder.name TextDecoder.prototype TextDecoderStream TextEncoder TextEncoder#constructor TextEncoder#encode TextEncoder#encodeInto
  TextEncoder#encoding TextEncoder.length TextEncoder.name TextEncoder.prototype TextEncoderStream TextMetrics TransformStream
  TransformStreamDefaultController TrustedHTML TrustedScript TrustedScriptURL TrustedTypePolicy TrustedTypePolicyFactory TypeError URIError
  URL URL#constructor URL#hash URL#host URL#hostname URL#href URL#origin URL#password URL#pathname URL#port URL#protocol URL#search
  URL#searchParams URL#toJSON URL#toString URL#username URL.canParse URL.createObjectURL URL.length URL.name URL.parse URL.prototype
  URL.revokeObjectURL URLPattern URLSearchParams URLSearchParams#append URLSearchParams#constructor URLSearchParams#delete
  URLSearchParams#entries URLSearchParams#forEach URLSearchParams#get URLSearchParams#getAll URLSearchParams#has URLSearchParams#keys
  URLSearchParams#set URLSearchParams#size URLSearchParams#sort URLSearchParams#toString URLSearchParams#values URLSearchParams.length
  URLSearchParams.name URLSearchParams.prototype Uint16Array Uint32Array Uint8Array Uint8ClampedArray UserActivation VideoColorSpace
  VideoDecoder VideoEncoder VideoFrame WeakMap WeakRef WeakSet WebAssembly WebAssembly.CompileError WebAssembly.Exception WebAssembly.Global
  WebAssembly.Instance WebAssembly.JSTag WebAssembly.LinkError WebAssembly.Memory WebAssembly.Module WebAssembly.RuntimeError
  WebAssembly.SuspendError WebAssembly.Suspending WebAssembly.Table WebAssembly.Tag WebAssembly.compile WebAssembly.compileStreaming
  WebAssembly.instantiate WebAssembly.instantiateStreaming WebAssembly.promising WebAssembly.validate WebGL2RenderingContext WebGLActiveInfo
  WebGLBuffer WebGLContextEvent WebGLFramebuffer WebGLObject WebGLProgram WebGLQuery WebGLRenderbuffer WebGLRenderingContext WebGLSampler
  WebGLShader WebGLShaderPrecisionFormat WebGLSync WebGLTexture WebGLTransformFeedback WebGLUniformLocation WebGLVertexArrayObject WebSocket
  WebSocketError WebSocketStream WebTransport WebTransportBidirectionalStream WebTransportDatagramDuplexStream WebTransportError
  WebTransportReceiveStream WebTransportSendStream Worker WorkerGlobalScope WorkerLocation WorkerNavigator WritableStream
  WritableStreamDefaultController WritableStreamDefaultWriter XMLHttpRequest XMLHttpRequestEventTarget XMLHttpRequestUpload addEventListener
  atob btoa caches cancelAnimationFrame clearInterval clearTimeout close console constructor createImageBitmap crossOriginIsolated crypto
  decodeURI decodeURIComponent dispatchEvent dump encodeURI encodeURIComponent escape eval fetch fonts globalThis importScripts indexedDB
  isFinite isNaN isSecureContext location name navigator onerror onlanguagechange onmessage onmessageerror onoffline ononline
  onrejectionhandled onrtctransform onunhandledrejection origin parseFloat parseInt performance postMessage queueMicrotask
  removeEventListener reportError requestAnimationFrame scheduler self setInterval setTimeout structuredClone trustedTypes undefined
  unescape webkitRequestFileSystem webkitRequestFileSystemSync webkitResolveLocalFileSystemSyncURL webkitResolveLocalFileSystemURL when
`
    .trim()
    .split(/\s+/),
);
