// Stands for the official header, which the Python package onnxruntime does not have: version 2 of the function table with
// every member by name, in order, and the types of those that are used.
#pragma once

#include <cstddef>
#include <cstdint>

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

enum OrtLoggingLevel {
    ORT_LOGGING_LEVEL_VERBOSE,
    ORT_LOGGING_LEVEL_INFO,
    ORT_LOGGING_LEVEL_WARNING,
    ORT_LOGGING_LEVEL_ERROR,
    ORT_LOGGING_LEVEL_FATAL
};
enum OrtErrorCode {
    ORT_OK,
    ORT_FAIL,
    ORT_INVALID_ARGUMENT,
    ORT_NO_SUCHFILE,
    ORT_NO_MODEL,
    ORT_ENGINE_ERROR,
    ORT_RUNTIME_EXCEPTION,
    ORT_INVALID_PROTOBUF
};
enum ONNXTensorElementDataType {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64
};
enum OrtAllocatorType { OrtInvalidAllocator = -1, OrtDeviceAllocator = 0, OrtArenaAllocator = 1 };
enum OrtMemType { OrtMemTypeCPUInput = -2, OrtMemTypeCPUOutput = -1, OrtMemTypeDefault = 0 };

struct OrtApi {
    void *CreateStatus;
    OrtErrorCode (*GetErrorCode)(const OrtStatus*);
    const char* (*GetErrorMessage)(const OrtStatus*);
    OrtStatus* (*CreateEnv)(OrtLoggingLevel, const char*, OrtEnv**);
    void *CreateEnvWithCustomLogger, *EnableTelemetryEvents, *DisableTelemetryEvents;
    OrtStatus* (*CreateSession)(const OrtEnv*, const char*, const OrtSessionOptions*, OrtSession**);
    void *CreateSessionFromArray;
    OrtStatus* (*Run)(OrtSession*, const OrtRunOptions*, const char* const*, const OrtValue* const*, size_t,
                      const char* const*, size_t, OrtValue**);
    OrtStatus* (*CreateSessionOptions)(OrtSessionOptions**);
    void *SetOptimizedModelFilePath, *CloneSessionOptions, *SetSessionExecutionMode, *EnableProfiling,
        *DisableProfiling, *EnableMemPattern, *DisableMemPattern, *EnableCpuMemArena, *DisableCpuMemArena,
        *SetSessionLogId, *SetSessionLogVerbosityLevel, *SetSessionLogSeverityLevel,
        *SetSessionGraphOptimizationLevel;
    OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions*, int);
    OrtStatus* (*SetInterOpNumThreads)(OrtSessionOptions*, int);
    void *CreateCustomOpDomain, *CustomOpDomain_Add, *AddCustomOpDomain, *RegisterCustomOpsLibrary;
    OrtStatus* (*SessionGetInputCount)(const OrtSession*, size_t*);
    OrtStatus* (*SessionGetOutputCount)(const OrtSession*, size_t*);
    void *SessionGetOverridableInitializerCount, *SessionGetInputTypeInfo, *SessionGetOutputTypeInfo,
        *SessionGetOverridableInitializerTypeInfo;
    OrtStatus* (*SessionGetInputName)(const OrtSession*, size_t, OrtAllocator*, char**);
    OrtStatus* (*SessionGetOutputName)(const OrtSession*, size_t, OrtAllocator*, char**);
    void *SessionGetOverridableInitializerName, *CreateRunOptions, *RunOptionsSetRunLogVerbosityLevel,
        *RunOptionsSetRunLogSeverityLevel, *RunOptionsSetRunTag, *RunOptionsGetRunLogVerbosityLevel,
        *RunOptionsGetRunLogSeverityLevel, *RunOptionsGetRunTag, *RunOptionsSetTerminate, *RunOptionsUnsetTerminate,
        *CreateTensorAsOrtValue;
    OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void*, size_t, const int64_t*, size_t,
                                                 ONNXTensorElementDataType, OrtValue**);
    void *IsTensor, *GetTensorMutableData, *FillStringTensor, *GetStringTensorDataLength,
        *GetStringTensorContent, *CastTypeInfoToTensorInfo, *GetOnnxTypeFromTypeInfo, *CreateTensorTypeAndShapeInfo,
        *SetTensorElementType, *SetDimensions, *GetTensorElementType, *GetDimensionsCount, *GetDimensions,
        *GetSymbolicDimensions, *GetTensorShapeElementCount, *GetTensorTypeAndShape, *GetTypeInfo, *GetValueType,
        *CreateMemoryInfo;
    OrtStatus* (*CreateCpuMemoryInfo)(OrtAllocatorType, OrtMemType, OrtMemoryInfo**);
    void *CompareMemoryInfo, *MemoryInfoGetName, *MemoryInfoGetId, *MemoryInfoGetMemType, *MemoryInfoGetType,
        *AllocatorAlloc;
    OrtStatus* (*AllocatorFree)(OrtAllocator*, void*);
    void *AllocatorGetInfo;
    OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator**);
    void *AddFreeDimensionOverride, *GetValue, *GetValueCount, *CreateValue, *CreateOpaqueValue,
        *GetOpaqueValue, *KernelInfoGetAttribute_float, *KernelInfoGetAttribute_int64,
        *KernelInfoGetAttribute_string, *KernelContext_GetInputCount, *KernelContext_GetOutputCount,
        *KernelContext_GetInput, *KernelContext_GetOutput;
    void (*ReleaseEnv)(OrtEnv*);
    void (*ReleaseStatus)(OrtStatus*);
    void (*ReleaseMemoryInfo)(OrtMemoryInfo*);
    void (*ReleaseSession)(OrtSession*);
    void (*ReleaseValue)(OrtValue*);
    void *ReleaseRunOptions, *ReleaseTypeInfo, *ReleaseTensorTypeAndShapeInfo;
    void (*ReleaseSessionOptions)(OrtSessionOptions*);
    void *ReleaseCustomOpDomain, *GetDenotationFromTypeInfo, *CastTypeInfoToMapTypeInfo,
        *CastTypeInfoToSequenceTypeInfo, *GetMapKeyType, *GetMapValueType, *GetSequenceElementType,
        *ReleaseMapTypeInfo, *ReleaseSequenceTypeInfo, *SessionEndProfiling;
    OrtStatus* (*SessionGetModelMetadata)(const OrtSession*, OrtModelMetadata**);
    void *ModelMetadataGetProducerName, *ModelMetadataGetGraphName, *ModelMetadataGetDomain,
        *ModelMetadataGetDescription;
    OrtStatus* (*ModelMetadataLookupCustomMetadataMap)(const OrtModelMetadata*, OrtAllocator*, const char*, char**);
    void *ModelMetadataGetVersion;
    void (*ReleaseModelMetadata)(OrtModelMetadata*);
};

struct OrtApiBase {
    const OrtApi* (*GetApi)(uint32_t version);
    const char* (*GetVersionString)();
};

const OrtApiBase* OrtGetApiBase();

}  // extern "C"
