// The official C header of onnxruntime where the build finds it, else declarations of the few functions used here.
//
// The C interface of onnxruntime is one table of function pointers. New functions are only ever appended, so the
// position of each is fixed from the version on in which it came. All functions used here are in version 2
// (onnxruntime 1.1, 2019), which is the version that is asked for.
#pragma once

#include <cstddef>
#include <cstdint>

#if __has_include(<onnxruntime_c_api.h>)
#include <onnxruntime_c_api.h>
#elif __has_include(<onnxruntime/onnxruntime_c_api.h>)
#include <onnxruntime/onnxruntime_c_api.h>
#elif __has_include(<onnxruntime/core/session/onnxruntime_c_api.h>)
#include <onnxruntime/core/session/onnxruntime_c_api.h>
#else

#ifdef _WIN32
#error "these declarations are for Linux and macOS; on Windows install the headers of onnxruntime"
#endif

extern "C" {

struct OrtAllocator;
struct OrtEnv;
struct OrtMemoryInfo;
struct OrtModelMetadata;
struct OrtRunOptions;
struct OrtSession;
struct OrtSessionOptions;
struct OrtStatus;
struct OrtValue;

enum OrtLoggingLevel { ORT_LOGGING_LEVEL_ERROR = 3 };
enum OrtErrorCode { ORT_INVALID_PROTOBUF = 7 };
enum ONNXTensorElementDataType { ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT = 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 = 7 };
enum OrtAllocatorType { OrtDeviceAllocator = 0 };
enum OrtMemType { OrtMemTypeDefault = 0 };

/// Members at their positions in the table; a gap stands for functions that are not used here.
struct OrtApi {
    void* gap_0[1];
    OrtErrorCode (*GetErrorCode)(const OrtStatus*);
    const char* (*GetErrorMessage)(const OrtStatus*);
    OrtStatus* (*CreateEnv)(OrtLoggingLevel, const char* name, OrtEnv**);
    void* gap_4[3];
    OrtStatus* (*CreateSession)(const OrtEnv*, const char* path, const OrtSessionOptions*, OrtSession**);
    void* gap_8[1];
    OrtStatus* (*Run)(OrtSession*, const OrtRunOptions*, const char* const* input_names, const OrtValue* const* inputs,
                      std::size_t n_inputs, const char* const* output_names, std::size_t n_outputs, OrtValue** outputs);
    OrtStatus* (*CreateSessionOptions)(OrtSessionOptions**);
    void* gap_11[13];
    OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions*, int);
    OrtStatus* (*SetInterOpNumThreads)(OrtSessionOptions*, int);
    void* gap_26[4];
    OrtStatus* (*SessionGetInputCount)(const OrtSession*, std::size_t*);
    OrtStatus* (*SessionGetOutputCount)(const OrtSession*, std::size_t*);
    void* gap_32[4];
    OrtStatus* (*SessionGetInputName)(const OrtSession*, std::size_t, OrtAllocator*, char**);
    OrtStatus* (*SessionGetOutputName)(const OrtSession*, std::size_t, OrtAllocator*, char**);
    void* gap_38[11];
    OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void* data, std::size_t n_bytes,
                                                 const std::int64_t* shape, std::size_t n_axes,
                                                 ONNXTensorElementDataType, OrtValue**);
    void* gap_50[19];
    OrtStatus* (*CreateCpuMemoryInfo)(OrtAllocatorType, OrtMemType, OrtMemoryInfo**);
    void* gap_70[6];
    OrtStatus* (*AllocatorFree)(OrtAllocator*, void*);
    void* gap_77[1];
    OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator**);
    void* gap_79[13];
    void (*ReleaseEnv)(OrtEnv*);
    void (*ReleaseStatus)(OrtStatus*);
    void (*ReleaseMemoryInfo)(OrtMemoryInfo*);
    void (*ReleaseSession)(OrtSession*);
    void (*ReleaseValue)(OrtValue*);
    void* gap_97[3];
    void (*ReleaseSessionOptions)(OrtSessionOptions*);
    void* gap_101[10];
    OrtStatus* (*SessionGetModelMetadata)(const OrtSession*, OrtModelMetadata**);
    void* gap_112[4];
    OrtStatus* (*ModelMetadataLookupCustomMetadataMap)(const OrtModelMetadata*, OrtAllocator*, const char* key, char**);
    void* gap_117[1];
    void (*ReleaseModelMetadata)(OrtModelMetadata*);
};

struct OrtApiBase {
    const OrtApi* (*GetApi)(std::uint32_t version);
    const char* (*GetVersionString)();
};

const OrtApiBase* OrtGetApiBase();

}  // extern "C"

#endif

namespace na64ml {
namespace abi {

/// Version of the function table that is asked for; every later runtime still serves it.
constexpr std::uint32_t api_version = 2;

/// The first runtime, 1.MINOR, that knows opset 18, in which the networks are written.
constexpr int oldest_minor = 14;

#define NA64ML_AT(member, index) \
    static_assert(offsetof(OrtApi, member) == (index) * sizeof(void*), #member " is not where the runtime has it")
NA64ML_AT(GetErrorCode, 1);
NA64ML_AT(GetErrorMessage, 2);
NA64ML_AT(CreateEnv, 3);
NA64ML_AT(CreateSession, 7);
NA64ML_AT(Run, 9);
NA64ML_AT(CreateSessionOptions, 10);
NA64ML_AT(SetIntraOpNumThreads, 24);
NA64ML_AT(SetInterOpNumThreads, 25);
NA64ML_AT(SessionGetInputCount, 30);
NA64ML_AT(SessionGetOutputCount, 31);
NA64ML_AT(SessionGetInputName, 36);
NA64ML_AT(SessionGetOutputName, 37);
NA64ML_AT(CreateTensorWithDataAsOrtValue, 49);
NA64ML_AT(CreateCpuMemoryInfo, 69);
NA64ML_AT(AllocatorFree, 76);
NA64ML_AT(GetAllocatorWithDefaultOptions, 78);
NA64ML_AT(ReleaseEnv, 92);
NA64ML_AT(ReleaseStatus, 93);
NA64ML_AT(ReleaseMemoryInfo, 94);
NA64ML_AT(ReleaseSession, 95);
NA64ML_AT(ReleaseValue, 96);
NA64ML_AT(ReleaseSessionOptions, 100);
NA64ML_AT(SessionGetModelMetadata, 111);
NA64ML_AT(ModelMetadataLookupCustomMetadataMap, 116);
NA64ML_AT(ReleaseModelMetadata, 118);
#undef NA64ML_AT

}  // namespace abi
}  // namespace na64ml
